// Store: where the hub keeps what is not a file: users, sessions, invites, failures to sign in, known file hashes,
// audit lines.
//
// Calls block on the disk. Any thread, any number at once. What a call changed is on disk when it returns, unless it
// says "written behind". Throws StoreError when the database cannot be read or written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "hub/store/records.h"

namespace hawser::hub {

class StoreError : public std::runtime_error {
 public:
  enum class Kind : std::uint8_t { failed, full, busy };
  StoreError(Kind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  [[nodiscard]] Kind kind() const noexcept { return kind_; }

 private:
  Kind kind_;
};

enum class CreateUser : std::uint8_t { done, name_taken, invite_unknown, too_many_users };

class Store {
 public:
  virtual ~Store() = default;

  // Users. Names are compared without regard to case.
  [[nodiscard]] virtual std::optional<UserRecord> find_user(std::string_view name) = 0;
  [[nodiscard]] virtual std::optional<UserRecord> find_user(std::int64_t id) = 0;
  [[nodiscard]] virtual std::vector<UserRecord> users(std::string_view after_name, std::size_t limit) = 0;
  [[nodiscard]] virtual bool has_admin() = 0;
  // Adds the user (its id is set) and spends the invite, both or neither. With an invite the role is the invite's.
  [[nodiscard]] virtual CreateUser create_user(UserRecord& user, const SecretHash* invite, std::size_t max_users) = 0;
  // Sets the hash and ends every session of the user but `keep`.
  virtual void set_password(std::int64_t user, std::string_view password_hash, std::int64_t keep) = 0;
  virtual bool set_role(std::int64_t user, Role role) = 0;
  virtual bool set_quota(std::int64_t user, std::optional<std::uint64_t> bytes) = 0;

  // Sessions. Adding one drops the user's oldest beyond max_per_user. Returns the id.
  virtual std::int64_t add_session(const SecretHash& token, std::int64_t user, std::int64_t created,
                                   std::int64_t expires, std::size_t max_per_user) = 0;
  [[nodiscard]] virtual std::optional<SessionRecord> find_session(const SecretHash& token) = 0;
  [[nodiscard]] virtual std::optional<SessionRecord> find_session(std::int64_t id) = 0;
  virtual void extend_session(std::int64_t id, std::int64_t expires) = 0;
  virtual bool remove_session(std::int64_t id) = 0;

  // Invites.
  virtual void add_invite(const SecretHash& invite, const InviteRecord& record) = 0;
  // It is there and may be spent at `now`.
  [[nodiscard]] virtual bool has_invite(const SecretHash& invite, std::int64_t now) = 0;
  // Drops the unspent invites that the hub made for its first admin.
  virtual void remove_hub_invites() = 0;

  // Failures to sign in, by key ("user:anna", "from:127.0.0.1").
  [[nodiscard]] virtual std::optional<FailureRecord> find_failures(std::string_view key) = 0;
  virtual void set_failures(std::string_view key, const FailureRecord& record) = 0;
  virtual void clear_failures(std::string_view key) = 0;

  // Known hashes, at most one for each file and algorithm. Written behind: seen by find_hash at once, on disk within
  // a moment; what a crash loses is computed again.
  [[nodiscard]] virtual std::optional<std::string> find_hash(const FileVersion& file, std::string_view algorithm) = 0;
  virtual void remember_hash(const FileVersion& file, std::string_view algorithm, std::string_view hash) = 0;

  // Audit lines, in order. Written behind unless `now`; flush() or a line with `now` takes all earlier ones along. The
  // oldest go when there are too many.
  virtual void append_audit(AuditLine line, bool now) = 0;
  // The newest lines first.
  [[nodiscard]] virtual std::vector<AuditLine> audit(std::size_t limit) = 0;
  virtual void flush() = 0;

  // Drops what has expired at `now` (sessions, invites, old failures).
  virtual void clean_up(std::int64_t now) = 0;
};

struct StoreOptions {
  std::size_t max_audit_lines = 1'000'000;
  std::size_t max_audit_bytes = 256U << 20U;  // of their texts and what SQLite keeps with each
  std::size_t max_hashes = 4'000'000;
};

// Opens or makes the database file (and its -wal and -shm beside it), readable by this user alone. Throws StoreError
// when it is not a database, or was written by a newer hub.
[[nodiscard]] std::unique_ptr<Store> open_store(const std::filesystem::path& file, StoreOptions options = {});

}  // namespace hawser::hub
