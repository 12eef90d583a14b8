#include "hub/store/sqlite_database.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include <hawser/base/fd.h>

namespace hawser::hub {
namespace {

constexpr std::chrono::milliseconds kBusyWait{10'000};

[[noreturn]] void fail(sqlite3* db, int result) {
  auto kind = StoreError::Kind::failed;
  if ((result & 0xff) == SQLITE_FULL) kind = StoreError::Kind::full;
  if ((result & 0xff) == SQLITE_BUSY) kind = StoreError::Kind::busy;
  throw StoreError(kind, fmt::format("database: {}", db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(result)));
}

void check_result(sqlite3* db, int result) {
  if (result != SQLITE_OK) fail(db, result);
}

// SQLite would make the file with the mode 0644; it copies the mode of the file to -wal and -shm.
void make_private_file(const std::filesystem::path& file) {
  const UniqueFd made(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!made) {
    throw StoreError(StoreError::Kind::failed, fmt::format("database {}: {}", file.string(), std::strerror(errno)));
  }
}

}  // namespace

SqliteQuery::~SqliteQuery() {
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

void SqliteQuery::check(int result) const { check_result(db_, result); }

SqliteQuery& SqliteQuery::bind(std::int64_t value) {
  check(sqlite3_bind_int64(statement_, ++bound_, value));
  return *this;
}

SqliteQuery& SqliteQuery::bind(std::string_view text) {
  check(sqlite3_bind_text64(statement_, ++bound_, text.empty() ? "" : text.data(), text.size(), SQLITE_TRANSIENT,
                            SQLITE_UTF8));
  return *this;
}

SqliteQuery& SqliteQuery::bind(std::span<const std::byte> blob) {
  check(sqlite3_bind_blob64(statement_, ++bound_, blob.data(), blob.size(), SQLITE_TRANSIENT));
  return *this;
}

SqliteQuery& SqliteQuery::bind_null() {
  check(sqlite3_bind_null(statement_, ++bound_));
  return *this;
}

bool SqliteQuery::step() {
  const int result = sqlite3_step(statement_);
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) return false;
  fail(db_, result);
}

std::int64_t SqliteQuery::integer(int column) const { return sqlite3_column_int64(statement_, column); }

std::string SqliteQuery::text(int column) const {
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return data == nullptr ? std::string()
                         : std::string(data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
}

bool SqliteQuery::is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }

SqliteDatabase::SqliteDatabase(const std::filesystem::path& file, Commit commit) {
  make_private_file(file);
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int opened = sqlite3_open_v2(file.c_str(), &db_, flags, nullptr);
  try {
    check_result(db_, opened);
    check_result(db_, sqlite3_busy_timeout(db_, static_cast<int>(kBusyWait.count())));
    execute("PRAGMA journal_mode = WAL");
    execute(commit == Commit::synced ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
    execute("PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF");
  } catch (const StoreError& error) {
    close();
    throw StoreError(error.kind(), fmt::format("{}: {}", file.string(), error.what()));
  }
}

SqliteDatabase::~SqliteDatabase() { close(); }

void SqliteDatabase::close() noexcept {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  statements_.clear();
  sqlite3_close_v2(std::exchange(db_, nullptr));
}

SqliteQuery SqliteDatabase::query(const char* sql) {
  sqlite3_stmt*& statement = statements_[sql];
  if (statement == nullptr) {
    check_result(db_, sqlite3_prepare_v3(db_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr));
  }
  return {db_, statement};
}

void SqliteDatabase::execute(const char* sql) { check_result(db_, sqlite3_exec(db_, sql, nullptr, nullptr, nullptr)); }

std::int64_t SqliteDatabase::last_id() const noexcept { return sqlite3_last_insert_rowid(db_); }

std::int64_t SqliteDatabase::changes() const noexcept { return sqlite3_changes64(db_); }

SqliteTransaction::SqliteTransaction(SqliteDatabase& db) : db_(db) { db_.query("BEGIN IMMEDIATE").run(); }

SqliteTransaction::~SqliteTransaction() {
  if (!open_) return;
  try {
    db_.query("ROLLBACK").run();
  } catch (const StoreError&) {
    // SQLite has rolled back by itself already: after a full disk, for one (sqlite.org/lang_transaction.html).
    return;
  }
}

void SqliteTransaction::commit() {
  db_.query("COMMIT").run();
  open_ = false;
}

}  // namespace hawser::hub
