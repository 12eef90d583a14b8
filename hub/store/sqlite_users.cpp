#include <limits>

#include "hub/store/sqlite_store.h"

namespace hawser::hub {
namespace {

// The columns of every query below, in this order.
UserRecord read_user(const SqliteQuery& row) {
  UserRecord user;
  user.id = row.integer(0);
  user.name = row.text(1);
  user.password_hash = row.text(2);
  user.role = row.integer(3) == static_cast<std::int64_t>(Role::admin) ? Role::admin : Role::member;
  user.created = row.integer(4);
  if (!row.is_null(5)) user.quota_bytes = static_cast<std::uint64_t>(row.integer(5));
  return user;
}

void bind_quota(SqliteQuery& query, std::optional<std::uint64_t> bytes) {
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (bytes) {
    query.bind(static_cast<std::int64_t>(*bytes < kMost ? *bytes : kMost));
  } else {
    query.bind_null();
  }
}

// The invite's role, if it may be spent now; it is gone afterwards.
std::optional<Role> spend_invite(SqliteDatabase& db, const SecretHash& invite, std::int64_t now) {
  auto query = db.query("DELETE FROM invites WHERE invite = ? AND expires > ? RETURNING role");
  query.bind(std::span<const std::byte>(invite)).bind(now);
  if (!query.step()) return std::nullopt;
  const Role role = query.integer(0) == static_cast<std::int64_t>(Role::admin) ? Role::admin : Role::member;
  static_cast<void>(query.step());
  return role;
}

}  // namespace

std::optional<UserRecord> SqliteStore::find_user(std::string_view name) {
  const std::lock_guard hold(durable_mutex_);
  auto query = durable_.query("SELECT id, name, password_hash, role, created, quota_bytes FROM users WHERE name = ?");
  query.bind(name);
  if (!query.step()) return std::nullopt;
  return read_user(query);
}

std::optional<UserRecord> SqliteStore::find_user(std::int64_t id) {
  const std::lock_guard hold(durable_mutex_);
  auto query = durable_.query("SELECT id, name, password_hash, role, created, quota_bytes FROM users WHERE id = ?");
  query.bind(id);
  if (!query.step()) return std::nullopt;
  return read_user(query);
}

std::vector<UserRecord> SqliteStore::users(std::string_view after_name, std::size_t limit) {
  const std::lock_guard hold(durable_mutex_);
  auto query = durable_.query(
      "SELECT id, name, password_hash, role, created, quota_bytes FROM users WHERE name > ? ORDER BY name LIMIT ?");
  query.bind(after_name).bind(static_cast<std::int64_t>(limit));
  std::vector<UserRecord> found;
  while (query.step()) found.push_back(read_user(query));
  return found;
}

bool SqliteStore::has_admin() {
  const std::lock_guard hold(durable_mutex_);
  auto query = durable_.query("SELECT 1 FROM users WHERE role = ? LIMIT 1");
  query.bind(static_cast<std::int64_t>(Role::admin));
  return query.step();
}

CreateUser SqliteStore::create_user(UserRecord& user, const SecretHash* invite, std::size_t max_users) {
  const std::scoped_lock hold(writing_, durable_mutex_);
  SqliteTransaction transaction(durable_);
  {
    auto count = durable_.query("SELECT count(*) FROM users");
    if (count.step() && static_cast<std::uint64_t>(count.integer(0)) >= max_users) return CreateUser::too_many_users;
  }
  if (invite != nullptr) {
    const auto role = spend_invite(durable_, *invite, user.created);
    if (!role) return CreateUser::invite_unknown;
    user.role = *role;
  }
  {
    auto insert = durable_.query(
        "INSERT INTO users (name, password_hash, role, created, quota_bytes) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO "
        "NOTHING");
    insert.bind(user.name).bind(user.password_hash).bind(static_cast<std::int64_t>(user.role)).bind(user.created);
    bind_quota(insert, user.quota_bytes);
    insert.run();
  }
  if (durable_.changes() == 0) return CreateUser::name_taken;
  user.id = durable_.last_id();
  transaction.commit();
  return CreateUser::done;
}

void SqliteStore::set_password(std::int64_t user, std::string_view password_hash, std::int64_t keep) {
  const std::scoped_lock hold(writing_, durable_mutex_);
  SqliteTransaction transaction(durable_);
  durable_.query("UPDATE users SET password_hash = ? WHERE id = ?").bind(password_hash).bind(user).run();
  durable_.query("DELETE FROM sessions WHERE user = ? AND id <> ?").bind(user).bind(keep).run();
  transaction.commit();
}

bool SqliteStore::set_role(std::int64_t user, Role role) {
  const std::scoped_lock hold(writing_, durable_mutex_);
  durable_.query("UPDATE users SET role = ? WHERE id = ?").bind(static_cast<std::int64_t>(role)).bind(user).run();
  return durable_.changes() != 0;
}

bool SqliteStore::set_quota(std::int64_t user, std::optional<std::uint64_t> bytes) {
  const std::scoped_lock hold(writing_, durable_mutex_);
  {
    auto update = durable_.query("UPDATE users SET quota_bytes = ? WHERE id = ?");
    bind_quota(update, bytes);
    update.bind(user).run();
  }
  return durable_.changes() != 0;
}

}  // namespace hawser::hub
