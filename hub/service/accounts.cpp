#include "hub/service/accounts.h"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <ctime>
#include <utility>

#include "hub/service/credentials.h"
#include "hub/service/error.h"
#include "hub/service/guessing.h"
#include "hub/service/password.h"
#include "hub/service/source_address.h"
#include "hub/service/store_call.h"

namespace hawser::hub {
namespace {

constexpr std::size_t kTokenBytes = 32;
constexpr std::size_t kInviteBytes = 16;
constexpr std::size_t kLongestSecret = 256;
constexpr std::size_t kMostUsersListed = 1000;
constexpr std::size_t kLongestPassword = 1024;
constexpr const char* kWrong = "wrong user name or password";
constexpr const char* kNoInvite = "the invite is unknown, used or expired";

// Tokens and invites have as much chance in them as the digest has bits: a fast digest keeps them safe.
SecretHash hash_of(std::string_view secret) {
  SecretHash hash;
  static_assert(sizeof hash == crypto_hash_sha256_BYTES);
  crypto_hash_sha256(reinterpret_cast<unsigned char*>(hash.data()),
                     reinterpret_cast<const unsigned char*>(secret.data()), secret.size());
  return hash;
}

HashClaimant claimant_of(std::string_view user, std::string_view source) {
  return {.address = address_of(source), .user = std::string(user.substr(0, kLongestSecret))};
}

// For audit lines: what was given as a name may be anything.
std::string_view shown_name(std::string_view user) {
  try {
    check_user_name(user);
  } catch (const ServiceError&) {
    return "(not a name)";
  }
  return user;
}

void require_admin(const Session& session) {
  if (session.role != Role::admin) throw ServiceError(ErrorCode::forbidden, "only admins may do this");
}

// A guess that GuessLimit has counted. It lets through so few that each is written down by itself.
class WrongGuess : public ServiceError {
 public:
  using ServiceError::ServiceError;
};

[[noreturn]] void throw_not_signed_in() {
  throw ServiceError(ErrorCode::unauthenticated, "not signed in, or the session has ended");
}

}  // namespace

struct Accounts::Parts {
  Parts(Store& a_store, Audit& an_audit, AccountOptions some_options)
      : store(a_store),
        audit(an_audit),
        options(std::move(some_options)),
        hasher(options.hash_memory_bytes, options.hash_passes, options.hashes_at_once, options.hashes_waiting),
        guesses(store, [this] { return now(); }) {}

  [[nodiscard]] std::int64_t now() const {
    return options.now ? options.now() : static_cast<std::int64_t>(std::time(nullptr));
  }

  // When a session that is used now ends.
  [[nodiscard]] std::int64_t expiry(std::int64_t created) const {
    return std::min(now() + options.session_length.count(), created + options.session_longest.count());
  }

  [[nodiscard]] Session to_session(const SessionRecord& record, const UserRecord& user, std::uint64_t seen,
                                   std::string_view source) const {
    return {.id = record.id,
            .user_id = user.id,
            .user = user.name,
            .role = user.role,
            .quota_bytes = user.quota_bytes,
            .expires = record.expires,
            .epoch = seen,
            .source = std::string(source)};
  }

  [[nodiscard]] UserRecord user_named(std::string_view name) {
    auto user = store.find_user(name);
    if (!user) throw ServiceError(ErrorCode::not_found, fmt::format("no such user: {}", shown_name(name)));
    return std::move(*user);
  }

  [[nodiscard]] Secret make_invite(Role role, std::int64_t creator) {
    Secret invite = Secret::random_hex(kInviteBytes);
    store.add_invite(
        hash_of(invite.view()),
        {.role = role, .created = now(), .expires = now() + options.invite_length.count(), .creator = creator});
    return invite;
  }

  // Throws unless the password is the user's; counts a failure.
  void check_password(GuessLimit::Attempt& attempt, const std::optional<UserRecord>& user, std::string_view password,
                      const HashClaimant& claimant, ErrorCode code, const char* message) {
    bool right = false;
    if (!user || password.size() > kLongestPassword) {
      hasher.verify_nothing(password.substr(0, kLongestPassword), claimant);
    } else {
      right = hasher.verify(user->password_hash, password, claimant);
    }
    if (right) {
      attempt.succeeded();
      return;
    }
    attempt.failed();
    throw WrongGuess(code, message);
  }

  // Throws unless the invite may be spent now; counts a failure.
  void check_invite(const SecretHash& invite, std::string_view source) {
    GuessLimit::Attempt attempt(guesses, source);
    if (store.has_invite(invite, now())) return;
    attempt.failed();
    throw WrongGuess(ErrorCode::forbidden, kNoInvite);
  }

  void record_refusal(std::string_view user, std::string_view source, std::string_view action,
                      const ServiceError& error) noexcept {
    if (dynamic_cast<const WrongGuess*>(&error) != nullptr) {
      audit.record(user, source, action, "", error.what());
    } else {
      audit.record_refusal(user, source, action, "", error.code(), error.what());
    }
  }

  Store& store;
  Audit& audit;
  AccountOptions options;
  PasswordHasher hasher;
  GuessLimit guesses;
  // Changes with everything that may end a session or change its role, so that sessions need not be looked up each
  // time.
  std::atomic<std::uint64_t> epoch{1};
};

Accounts::Accounts(Store& store, Audit& audit, AccountOptions options)
    : parts_(std::make_unique<Parts>(store, audit, std::move(options))) {}

Accounts::~Accounts() = default;

void Accounts::register_user(std::string_view user, std::string_view password, std::string_view invite,
                             std::string_view source) {
  Parts& p = *parts_;
  try {
    if (invite.empty() && !p.options.open_registration) {
      throw ServiceError(ErrorCode::forbidden, "registration needs an invite");
    }
    if (invite.size() > kLongestSecret) throw ServiceError(ErrorCode::forbidden, kNoInvite);
    const SecretHash invite_hash = hash_of(invite);
    // First of all: who has none learns nothing about names, and costs no hash of a password.
    if (!invite.empty()) asking_store([&] { p.check_invite(invite_hash, source); });
    check_user_name(user);
    check_new_password(user, password);
    asking_store([&] {
      const auto name_taken = [&] {
        return ServiceError(ErrorCode::exists, fmt::format("the name is taken: {}", user));
      };
      if (p.store.find_user(user)) throw name_taken();
      UserRecord record{.name = std::string(user),
                        .password_hash = p.hasher.hash(password, claimant_of(user, source)),
                        .created = p.now()};
      switch (p.store.create_user(record, invite.empty() ? nullptr : &invite_hash, p.options.max_users)) {
        case CreateUser::done:
          break;
        case CreateUser::name_taken:
          throw name_taken();
        case CreateUser::invite_unknown:
          throw ServiceError(ErrorCode::forbidden, kNoInvite);
        case CreateUser::too_many_users:
          throw ServiceError(ErrorCode::forbidden, "this hub takes no more users");
      }
      p.audit.record(user, source, "register", to_string(record.role), "ok");
    });
  } catch (const ServiceError& error) {
    p.record_refusal(shown_name(user), source, "register", error);
    throw;
  }
}

SignedIn Accounts::login(std::string_view user, std::string_view password, std::string_view source) {
  Parts& p = *parts_;
  const std::uint64_t seen = p.epoch.load();
  // Only a name that is one is written down: people type passwords where names go.
  std::string name = "(unknown)";
  try {
    return asking_store([&] {
      const auto record = user.size() <= kLongestSecret ? p.store.find_user(user) : std::nullopt;
      if (record) name = record->name;
      GuessLimit::Attempt attempt(p.guesses, user, source);
      p.check_password(attempt, record, password, claimant_of(user, source), ErrorCode::unauthenticated, kWrong);
      Secret token = Secret::random_hex(kTokenBytes);
      SessionRecord session{.user = record->id, .created = p.now(), .expires = p.expiry(p.now())};
      session.id = p.store.add_session(hash_of(token.view()), session.user, session.created, session.expires,
                                       p.options.sessions_per_user);
      p.audit.record(name, source, "login", "", "ok");
      return SignedIn{p.to_session(session, *record, seen, source), std::move(token)};
    });
  } catch (const ServiceError& error) {
    p.record_refusal(name, source, "login", error);
    throw;
  }
}

Session Accounts::resume(std::string_view token, std::string_view source) {
  Parts& p = *parts_;
  if (token.empty() || token.size() > kLongestSecret) throw_not_signed_in();
  const std::uint64_t seen = p.epoch.load();
  return asking_store([&] {
    auto record = p.store.find_session(hash_of(token));
    if (!record || record->expires <= p.now()) throw_not_signed_in();
    const auto user = p.store.find_user(record->user);
    if (!user) throw_not_signed_in();
    // Written down only when it gains much: resuming is frequent, and each write waits for the disk.
    const std::int64_t worth_writing = std::min<std::int64_t>(24 * 3600, p.options.session_length.count() / 2);
    if (const std::int64_t later = p.expiry(record->created); later - record->expires >= worth_writing) {
      p.store.extend_session(record->id, later);
      record->expires = later;
    }
    return p.to_session(*record, *user, seen, source);
  });
}

void Accounts::logout(const Session& session) {
  Parts& p = *parts_;
  asking_store([&] { p.store.remove_session(session.id); });
  p.epoch.fetch_add(1);
  p.audit.record(session.user, session.source, "logout", "", "ok");
}

void Accounts::change_password(const Session& session, std::string_view old, std::string_view fresh) {
  Parts& p = *parts_;
  check_new_password(session.user, fresh);
  const HashClaimant claimant = claimant_of(session.user, session.source);
  try {
    asking_store([&] {
      const auto user = p.store.find_user(session.user_id);
      if (!user || !p.store.find_session(session.id)) throw_not_signed_in();
      {
        GuessLimit::Attempt attempt(p.guesses, session.user, session.source);
        p.check_password(attempt, user, old, claimant, ErrorCode::forbidden, "the old password is wrong");
      }
      p.store.set_password(user->id, p.hasher.hash(fresh, claimant), session.id);
    });
  } catch (const ServiceError& error) {
    p.record_refusal(session.user, session.source, "passwd", error);
    throw;
  }
  p.epoch.fetch_add(1);
  p.audit.record(session.user, session.source, "passwd", "", "ok");
}

bool Accounts::is_current(const Session& session) const noexcept {
  return session.epoch == parts_->epoch.load() && session.expires > parts_->now();
}

void Accounts::refresh(Session& session) {
  Parts& p = *parts_;
  const std::uint64_t seen = p.epoch.load();
  asking_store([&] {
    const auto record = p.store.find_session(session.id);
    if (!record || record->expires <= p.now() || record->user != session.user_id) throw_not_signed_in();
    const auto user = p.store.find_user(record->user);
    if (!user) throw_not_signed_in();
    session = p.to_session(*record, *user, seen, session.source);
  });
}

Secret Accounts::create_invite(const Session& admin, Role role) {
  Parts& p = *parts_;
  require_admin(admin);
  Secret invite = asking_store([&] { return p.make_invite(role, admin.user_id); });
  p.audit.record(admin.user, admin.source, "invite", to_string(role), "ok");
  return invite;
}

void Accounts::set_role(const Session& admin, std::string_view user, Role role) {
  Parts& p = *parts_;
  require_admin(admin);
  asking_store([&] { p.store.set_role(p.user_named(user).id, role); });
  p.epoch.fetch_add(1);
  p.audit.record(admin.user, admin.source, "role", fmt::format("{} {}", user, to_string(role)), "ok");
}

void Accounts::set_quota(const Session& admin, std::string_view user, std::optional<std::uint64_t> bytes) {
  Parts& p = *parts_;
  require_admin(admin);
  asking_store([&] { p.store.set_quota(p.user_named(user).id, bytes); });
  p.epoch.fetch_add(1);
  p.audit.record(admin.user, admin.source, "quota",
                 bytes ? fmt::format("{} {}", user, *bytes) : fmt::format("{} none", user), "ok");
}

std::vector<UserInfo> Accounts::users(const Session& admin, std::string_view after_name, std::size_t limit) {
  require_admin(admin);
  const auto records = asking_store([&] { return parts_->store.users(after_name, std::min(limit, kMostUsersListed)); });
  std::vector<UserInfo> users;
  users.reserve(records.size());
  for (const UserRecord& user : records) users.push_back({user.name, user.role, user.quota_bytes});
  return users;
}

std::optional<Secret> Accounts::first_admin_invite() {
  return asking_store([&]() -> std::optional<Secret> {
    if (parts_->store.has_admin()) return std::nullopt;
    parts_->store.remove_hub_invites();
    return parts_->make_invite(Role::admin, 0);
  });
}

void Accounts::clean_up() {
  asking_store([&] { parts_->store.clean_up(parts_->now()); });
}

}  // namespace hawser::hub
