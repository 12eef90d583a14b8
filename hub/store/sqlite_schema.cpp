#include <fmt/format.h>

#include <array>

#include "hub/store/sqlite_database.h"

namespace hawser::hub {
namespace {

// Step n brings a file from version n to n + 1. A step that has been released is never changed.
constexpr std::array kSteps = {
    R"sql(
CREATE TABLE users (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE COLLATE NOCASE,
  password_hash TEXT NOT NULL,
  role INTEGER NOT NULL,
  created INTEGER NOT NULL,
  quota_bytes INTEGER
);
CREATE TABLE sessions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  token BLOB NOT NULL UNIQUE,
  user INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
  created INTEGER NOT NULL,
  expires INTEGER NOT NULL
);
CREATE INDEX sessions_by_user ON sessions(user, id);
CREATE TABLE invites (
  invite BLOB PRIMARY KEY,
  role INTEGER NOT NULL,
  created INTEGER NOT NULL,
  expires INTEGER NOT NULL,
  creator INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE failures (
  key TEXT PRIMARY KEY,
  count INTEGER NOT NULL,
  last INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE hashes (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  device INTEGER NOT NULL,
  inode INTEGER NOT NULL,
  algorithm TEXT NOT NULL,
  size INTEGER NOT NULL,
  mtime_ns INTEGER NOT NULL,
  ctime_ns INTEGER NOT NULL,
  hash TEXT NOT NULL,
  UNIQUE (device, inode, algorithm)
);
CREATE TABLE audit (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  user TEXT NOT NULL,
  source TEXT NOT NULL,
  action TEXT NOT NULL,
  object TEXT NOT NULL,
  result TEXT NOT NULL
);
)sql",
};

std::int64_t version_of(SqliteDatabase& db) {
  auto query = db.query("PRAGMA user_version");
  return query.step() ? query.integer(0) : 0;
}

}  // namespace

void migrate(SqliteDatabase& db) {
  SqliteTransaction transaction(db);
  const std::int64_t version = version_of(db);
  const auto wanted = static_cast<std::int64_t>(kSteps.size());
  if (version < 0 || version > wanted) {
    throw StoreError(StoreError::Kind::failed,
                     fmt::format("database: written by a newer hub (schema {}, this one knows {})", version, wanted));
  }
  for (std::int64_t step = version; step < wanted; ++step) db.execute(kSteps[static_cast<std::size_t>(step)]);
  if (version != wanted) db.execute(fmt::format("PRAGMA user_version = {}", wanted).c_str());
  transaction.commit();
}

}  // namespace hawser::hub
