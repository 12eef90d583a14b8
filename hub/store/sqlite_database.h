// SqliteDatabase: one connection to an SQLite file, with its prepared statements. SQLite's words end here.
//
// Not thread-safe: its owner holds a lock. Every function throws StoreError. See sqlite.org/c3ref/intro.html.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "hub/store/store.h"

struct sqlite3;
struct sqlite3_stmt;

namespace hawser::hub {

// One run of a prepared statement: bind in order, step, read columns. Resets the statement when it goes.
class SqliteQuery {
 public:
  SqliteQuery(sqlite3* db, sqlite3_stmt* statement) noexcept : db_(db), statement_(statement) {}
  SqliteQuery(const SqliteQuery&) = delete;
  SqliteQuery& operator=(const SqliteQuery&) = delete;
  ~SqliteQuery();

  SqliteQuery& bind(std::int64_t value);
  SqliteQuery& bind(std::string_view text);
  SqliteQuery& bind(std::span<const std::byte> blob);
  SqliteQuery& bind_null();

  // True when there is a row to read.
  bool step();
  // step() for what gives no rows.
  void run() { static_cast<void>(step()); }

  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] bool is_null(int column) const;

 private:
  void check(int result) const;
  sqlite3* db_;
  sqlite3_stmt* statement_;
  int bound_ = 0;
};

class SqliteDatabase {
 public:
  // How much a commit promises: `synced` survives a power cut, `written` the end of the process only (a power cut may
  // take the last commits, never the file's soundness).
  enum class Commit : std::uint8_t { synced, written };

  SqliteDatabase(const std::filesystem::path& file, Commit commit);
  SqliteDatabase(const SqliteDatabase&) = delete;
  SqliteDatabase& operator=(const SqliteDatabase&) = delete;
  ~SqliteDatabase();

  // The statement is prepared once and kept: sql must be a literal, and not in use already.
  [[nodiscard]] SqliteQuery query(const char* sql);
  // Any number of statements, without values.
  void execute(const char* sql);
  [[nodiscard]] std::int64_t last_id() const noexcept;
  [[nodiscard]] std::int64_t changes() const noexcept;

 private:
  void close() noexcept;
  sqlite3* db_ = nullptr;
  std::unordered_map<const char*, sqlite3_stmt*> statements_;
};

// Undone when it goes, unless commit() was called. Takes the write lock at once, so it cannot fail half-way for being
// too late.
class SqliteTransaction {
 public:
  explicit SqliteTransaction(SqliteDatabase& db);
  SqliteTransaction(const SqliteTransaction&) = delete;
  SqliteTransaction& operator=(const SqliteTransaction&) = delete;
  ~SqliteTransaction();
  void commit();

 private:
  SqliteDatabase& db_;
  bool open_ = true;
};

// Brings the file to this hub's schema, in one transaction. Throws StoreError when a newer hub wrote it.
void migrate(SqliteDatabase& db);

}  // namespace hawser::hub
