// Accounts: who may come in. Registering, signing in, sessions, invites, roles.
//
// Passwords are kept as argon2id hashes, tokens and invites as SHA-256; none is ever logged. Calls block (disk, and
// some tens of milliseconds for a password): run them inside offload(). Any thread, any number at once; at most
// AccountOptions::hashes_at_once passwords are hashed at a time, so that memory stays bounded, a few more wait, and
// beyond those the call fails with `busy`: whoever comes from the address with the most of them, so that no one address
// keeps the others from signing in.
//
// Guessing (passwords, and invites) is slowed down and locked per user and per source address (guessing.h):
// `rate_limited`, with the seconds left in the message. An unknown user takes as long as a wrong password and gets the
// same words. Sessions that exist go on during a lock.
//
// Every function throws ServiceError.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/service/audit.h"
#include "hub/service/secret.h"
#include "hub/service/session.h"
#include "hub/store/store.h"

namespace hawser::hub {

struct AccountOptions {
  bool open_registration = false;
  std::chrono::seconds session_length{30 * 24 * 3600};    // from the last use, at most
  std::chrono::seconds session_longest{365 * 24 * 3600};  // from signing in
  std::chrono::seconds invite_length{7 * 24 * 3600};
  std::size_t sessions_per_user = 100;
  std::size_t max_users = 100'000;
  // argon2id
  std::size_t hash_memory_bytes = 32U << 20U;
  std::uint64_t hash_passes = 3;
  std::size_t hashes_at_once = 2;
  std::size_t hashes_waiting = 6;
  std::function<std::int64_t()> now;  // Unix seconds; the system's clock when empty
};

struct SignedIn {
  Session session;
  Secret token;  // 64 hex digits
};

// A user as others may see them.
struct UserInfo {
  std::string name;
  Role role;
  std::optional<std::uint64_t> quota_bytes = std::nullopt;
};

class Accounts {
 public:
  Accounts(Store& store, Audit& audit, AccountOptions options = {});
  Accounts(const Accounts&) = delete;
  Accounts& operator=(const Accounts&) = delete;
  ~Accounts();

  // Makes a user. Names: 1 to 32 ASCII letters, digits, '.', '_', '-', beginning with a letter or digit; passwords: 8
  // to 1024 bytes of UTF-8, not the name. forbidden when registration is closed and there is no invite, or the invite
  // is unknown, spent or expired (counts as a failure of the source), whatever the rest is; bad_request; exists;
  // rate_limited, busy.
  void register_user(std::string_view user, std::string_view password, std::string_view invite,
                     std::string_view source);

  // unauthenticated (wrong name or password), rate_limited, busy.
  [[nodiscard]] SignedIn login(std::string_view user, std::string_view password, std::string_view source);

  // Signs in by token. A session lasts session_length from its last resume. unauthenticated.
  [[nodiscard]] Session resume(std::string_view token, std::string_view source);

  // The token is dead from now on, on every connection.
  void logout(const Session& session);

  // All other tokens of the user are dead. forbidden when `old` is wrong (counts as a failure), bad_request.
  void change_password(const Session& session, std::string_view old, std::string_view fresh);

  // True while nothing can have ended the session. Never blocks: ask before each request.
  [[nodiscard]] bool is_current(const Session& session) const noexcept;
  // To be called when is_current() says no: looks the session up again and brings role and quota up to date.
  // unauthenticated when it has ended.
  void refresh(Session& session);

  // Admins: forbidden for others.
  [[nodiscard]] Secret create_invite(const Session& admin, Role role);
  void set_role(const Session& admin, std::string_view user, Role role);
  void set_quota(const Session& admin, std::string_view user, std::optional<std::uint64_t> bytes);
  [[nodiscard]] std::vector<UserInfo> users(const Session& admin, std::string_view after_name, std::size_t limit);

  // An invite for the first admin, or nothing when there is one. An earlier such invite is void.
  [[nodiscard]] std::optional<Secret> first_admin_invite();

  // Drops what has expired. Call it now and then.
  void clean_up();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace hawser::hub
