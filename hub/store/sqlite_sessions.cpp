#include "hub/store/sqlite_store.h"

namespace hawser::hub {
namespace {

SessionRecord read_session(const SqliteQuery& row) {
  return {.id = row.integer(0), .user = row.integer(1), .created = row.integer(2), .expires = row.integer(3)};
}

}  // namespace

std::int64_t SqliteStore::add_session(const SecretHash& token, std::int64_t user, std::int64_t created,
                                      std::int64_t expires, std::size_t max_per_user) {
  const std::scoped_lock hold(writing_, durable_mutex_);
  SqliteTransaction transaction(durable_);
  {
    auto insert = durable_.query("INSERT INTO sessions (token, user, created, expires) VALUES (?, ?, ?, ?)");
    insert.bind(std::span<const std::byte>(token)).bind(user).bind(created).bind(expires).run();
  }
  const std::int64_t id = durable_.last_id();
  {
    auto drop = durable_.query(
        "DELETE FROM sessions WHERE user = ? AND id NOT IN (SELECT id FROM sessions WHERE user = ? ORDER BY id DESC "
        "LIMIT ?)");
    drop.bind(user).bind(user).bind(static_cast<std::int64_t>(max_per_user)).run();
  }
  transaction.commit();
  return id;
}

std::optional<SessionRecord> SqliteStore::find_session(const SecretHash& token) {
  const std::lock_guard hold(durable_mutex_);
  auto query = durable_.query("SELECT id, user, created, expires FROM sessions WHERE token = ?");
  query.bind(std::span<const std::byte>(token));
  if (!query.step()) return std::nullopt;
  return read_session(query);
}

std::optional<SessionRecord> SqliteStore::find_session(std::int64_t id) {
  const std::lock_guard hold(durable_mutex_);
  auto query = durable_.query("SELECT id, user, created, expires FROM sessions WHERE id = ?");
  query.bind(id);
  if (!query.step()) return std::nullopt;
  return read_session(query);
}

void SqliteStore::extend_session(std::int64_t id, std::int64_t expires) {
  const std::scoped_lock hold(writing_, durable_mutex_);
  durable_.query("UPDATE sessions SET expires = ? WHERE id = ?").bind(expires).bind(id).run();
}

bool SqliteStore::remove_session(std::int64_t id) {
  const std::scoped_lock hold(writing_, durable_mutex_);
  durable_.query("DELETE FROM sessions WHERE id = ?").bind(id).run();
  return durable_.changes() != 0;
}

void SqliteStore::add_invite(const SecretHash& invite, const InviteRecord& record) {
  const std::scoped_lock hold(writing_, durable_mutex_);
  auto insert = durable_.query("INSERT INTO invites (invite, role, created, expires, creator) VALUES (?, ?, ?, ?, ?)");
  insert.bind(std::span<const std::byte>(invite)).bind(static_cast<std::int64_t>(record.role));
  insert.bind(record.created).bind(record.expires).bind(record.creator).run();
}

bool SqliteStore::has_invite(const SecretHash& invite, std::int64_t now) {
  const std::lock_guard hold(durable_mutex_);
  auto query = durable_.query("SELECT 1 FROM invites WHERE invite = ? AND expires > ?");
  query.bind(std::span<const std::byte>(invite)).bind(now);
  return query.step();
}

void SqliteStore::remove_hub_invites() {
  const std::scoped_lock hold(writing_, durable_mutex_);
  durable_.query("DELETE FROM invites WHERE creator = 0").run();
}

}  // namespace hawser::hub
