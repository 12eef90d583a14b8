// Opening, and what is written behind: audit lines and known hashes.
#include <algorithm>
#include <utility>

#include "hub/store/sqlite_store.h"

namespace hawser::hub {
namespace {

constexpr std::int64_t kKeepFailures = 24 * 3600;

// Device and inode numbers fill 64 bits; SQLite's integers are signed.
std::int64_t as_column(std::uint64_t number) { return static_cast<std::int64_t>(number); }

// What a line takes beside its texts, and a little more.
constexpr std::uint64_t kBytesPerLine = 32;

std::uint64_t size_of(const AuditLine& line) {
  return kBytesPerLine + line.user.size() + line.source.size() + line.action.size() + line.object.size() +
         line.result.size();
}

// Drops the oldest lines until the others fit. `bytes` is what all of them take; returns what is left.
std::uint64_t drop_oldest_audit(SqliteDatabase& db, const StoreOptions& options, std::uint64_t bytes) {
  std::int64_t gone = 0;
  {
    auto lines = db.query(
        "SELECT id, (SELECT max(id) FROM audit) - id, length(CAST(user AS BLOB)) + length(CAST(source AS BLOB)) + "
        "length(CAST(action AS BLOB)) + length(CAST(object AS BLOB)) + length(CAST(result AS BLOB)) FROM audit "
        "ORDER BY id");
    while (lines.step()) {
      if (lines.integer(1) < as_column(options.max_audit_lines) && bytes <= options.max_audit_bytes) break;
      gone = lines.integer(0);
      bytes -= std::min(bytes, kBytesPerLine + static_cast<std::uint64_t>(lines.integer(2)));
    }
  }
  if (gone != 0) db.query("DELETE FROM audit WHERE id <= ?").bind(gone).run();
  return bytes;
}

std::uint64_t audit_size(SqliteDatabase& db) {
  auto sum = db.query(
      "SELECT count(*), coalesce(sum(length(CAST(user AS BLOB)) + length(CAST(source AS BLOB)) + "
      "length(CAST(action AS BLOB)) + length(CAST(object AS BLOB)) + length(CAST(result AS BLOB))), 0) FROM audit");
  static_cast<void>(sum.step());
  return kBytesPerLine * static_cast<std::uint64_t>(sum.integer(0)) + static_cast<std::uint64_t>(sum.integer(1));
}

}  // namespace

std::unique_ptr<Store> open_store(const std::filesystem::path& file, StoreOptions options) {
  return std::make_unique<SqliteStore>(file, options);
}

SqliteStore::SqliteStore(const std::filesystem::path& file, StoreOptions options)
    : options_(options),
      durable_(file, SqliteDatabase::Commit::synced),
      journal_(file, SqliteDatabase::Commit::written),
      behind_([this](const PendingRows& rows) { write_rows(rows); }) {
  migrate(durable_);
}

std::optional<std::string> SqliteStore::find_hash(const FileVersion& file, std::string_view algorithm) {
  if (auto pending = behind_.find(file, algorithm)) {
    if (pending->file == file) return std::move(pending->hash);
    return std::nullopt;
  }
  const std::lock_guard hold(journal_mutex_);
  auto query = journal_.query(
      "SELECT hash FROM hashes WHERE device = ? AND inode = ? AND algorithm = ? AND size = ? AND mtime_ns = ? AND "
      "ctime_ns = ?");
  query.bind(as_column(file.device)).bind(as_column(file.inode)).bind(algorithm).bind(as_column(file.size));
  query.bind(file.mtime_ns).bind(file.ctime_ns);
  if (!query.step()) return std::nullopt;
  return query.text(0);
}

void SqliteStore::remember_hash(const FileVersion& file, std::string_view algorithm, std::string_view hash) {
  behind_.add(file, algorithm, hash);
}

void SqliteStore::append_audit(AuditLine line, bool now) {
  behind_.add(std::move(line));
  if (now) behind_.flush();
}

std::vector<AuditLine> SqliteStore::audit(std::size_t limit) {
  behind_.flush();
  const std::lock_guard hold(journal_mutex_);
  auto query = journal_.query("SELECT at, user, source, action, object, result FROM audit ORDER BY id DESC LIMIT ?");
  query.bind(as_column(limit));
  std::vector<AuditLine> lines;
  while (query.step()) {
    lines.push_back({.at = query.integer(0),
                     .user = query.text(1),
                     .source = query.text(2),
                     .action = query.text(3),
                     .object = query.text(4),
                     .result = query.text(5)});
  }
  return lines;
}

void SqliteStore::flush() { behind_.flush(); }

void SqliteStore::write_rows(const PendingRows& rows) {
  const std::scoped_lock hold(writing_, journal_mutex_);
  SqliteTransaction transaction(journal_);
  std::optional<std::uint64_t> audit_bytes = audit_bytes_;
  if (!rows.audit.empty()) {
    if (!audit_bytes) audit_bytes = audit_size(journal_);
    for (const AuditLine& line : rows.audit) {
      auto insert =
          journal_.query("INSERT INTO audit (at, user, source, action, object, result) VALUES (?, ?, ?, ?, ?, ?)");
      insert.bind(line.at).bind(line.user).bind(line.source).bind(line.action).bind(line.object).bind(line.result);
      insert.run();
      *audit_bytes += size_of(line);
    }
    audit_bytes = drop_oldest_audit(journal_, options_, *audit_bytes);
  }
  for (const auto& [key, known] : rows.hashes) {
    // Replaced rather than updated: a new id makes it the youngest, and clean_up() drops the oldest.
    auto insert = journal_.query(
        "INSERT OR REPLACE INTO hashes (device, inode, algorithm, size, mtime_ns, ctime_ns, hash) VALUES (?, ?, ?, ?, "
        "?, ?, ?)");
    insert.bind(as_column(known.file.device)).bind(as_column(known.file.inode)).bind(std::get<2>(key));
    insert.bind(as_column(known.file.size)).bind(known.file.mtime_ns).bind(known.file.ctime_ns).bind(known.hash);
    insert.run();
  }
  if (!rows.hashes.empty()) {
    journal_.query("DELETE FROM hashes WHERE id <= (SELECT max(id) FROM hashes) - ?")
        .bind(as_column(options_.max_hashes))
        .run();
  }
  transaction.commit();
  audit_bytes_ = audit_bytes;
}

void SqliteStore::clean_up(std::int64_t now) {
  const std::scoped_lock hold(writing_, durable_mutex_);
  SqliteTransaction transaction(durable_);
  durable_.query("DELETE FROM sessions WHERE expires <= ?").bind(now).run();
  durable_.query("DELETE FROM invites WHERE expires <= ?").bind(now).run();
  durable_.query("DELETE FROM failures WHERE last < ?").bind(now - kKeepFailures).run();
  transaction.commit();
}

}  // namespace hawser::hub
