// SqliteStore: the Store in one SQLite file, in WAL mode. Its functions lie in sqlite_users.cpp, sqlite_sessions.cpp,
// sqlite_failures.cpp and sqlite_journal.cpp.
//
// Two connections: `durable_` syncs every commit (accounts: what was acknowledged survives a power cut), `journal_`
// does not (audit lines and known hashes). Writers of the two take turns by `writing_`, so that SQLite's own busy
// handler, which sleeps, is left for other processes.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>

#include "hub/store/sqlite_database.h"
#include "hub/store/store.h"
#include "hub/store/write_behind.h"

namespace hawser::hub {

class SqliteStore final : public Store {
 public:
  SqliteStore(const std::filesystem::path& file, StoreOptions options);

  std::optional<UserRecord> find_user(std::string_view name) override;
  std::optional<UserRecord> find_user(std::int64_t id) override;
  std::vector<UserRecord> users(std::string_view after_name, std::size_t limit) override;
  bool has_admin() override;
  CreateUser create_user(UserRecord& user, const SecretHash* invite, std::size_t max_users) override;
  void set_password(std::int64_t user, std::string_view password_hash, std::int64_t keep) override;
  bool set_role(std::int64_t user, Role role) override;
  bool set_quota(std::int64_t user, std::optional<std::uint64_t> bytes) override;

  std::int64_t add_session(const SecretHash& token, std::int64_t user, std::int64_t created, std::int64_t expires,
                           std::size_t max_per_user) override;
  std::optional<SessionRecord> find_session(const SecretHash& token) override;
  std::optional<SessionRecord> find_session(std::int64_t id) override;
  void extend_session(std::int64_t id, std::int64_t expires) override;
  bool remove_session(std::int64_t id) override;

  void add_invite(const SecretHash& invite, const InviteRecord& record) override;
  bool has_invite(const SecretHash& invite, std::int64_t now) override;
  void remove_hub_invites() override;

  std::optional<FailureRecord> find_failures(std::string_view key) override;
  void set_failures(std::string_view key, const FailureRecord& record) override;
  void clear_failures(std::string_view key) override;

  std::optional<std::string> find_hash(const FileVersion& file, std::string_view algorithm) override;
  void remember_hash(const FileVersion& file, std::string_view algorithm, std::string_view hash) override;
  void append_audit(AuditLine line, bool now) override;
  std::vector<AuditLine> audit(std::size_t limit) override;
  void flush() override;
  void clean_up(std::int64_t now) override;

 private:
  void write_rows(const PendingRows& rows);

  StoreOptions options_;
  std::mutex writing_;        // taken before the two below
  std::mutex durable_mutex_;  // durable_
  std::mutex journal_mutex_;  // journal_
  SqliteDatabase durable_;
  SqliteDatabase journal_;
  std::optional<std::uint64_t> audit_bytes_;  // what the audit lines in the file take, once known; journal_mutex_
  WriteBehind behind_;                        // last: its thread uses all the others
};

}  // namespace hawser::hub
