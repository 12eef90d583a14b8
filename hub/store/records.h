// The rows that a store keeps. Times are Unix seconds unless the name says otherwise.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace hawser::hub {

enum class Role : std::uint8_t { member = 0, admin = 1 };

// SHA-256 of a token or an invite: what is kept in its place.
using SecretHash = std::array<std::byte, 32>;

struct UserRecord {
  std::int64_t id = 0;
  std::string name = {};           // as it was registered; compared without regard to case
  std::string password_hash = {};  // argon2id, with its salt and parameters
  Role role = Role::member;
  std::int64_t created = 0;
  std::optional<std::uint64_t> quota_bytes = std::nullopt;  // nothing: no limit
};

struct SessionRecord {
  std::int64_t id = 0;
  std::int64_t user = 0;
  std::int64_t created = 0;
  std::int64_t expires = 0;
};

struct InviteRecord {
  Role role = Role::member;
  std::int64_t created = 0;
  std::int64_t expires = 0;
  std::int64_t creator = 0;  // 0: the hub itself, for its first admin
};

// How often somebody failed to sign in lately: one row a user, one row a source address.
struct FailureRecord {
  std::int64_t count = 0;
  std::int64_t last = 0;
};

// A file as it was when its hash was taken. The hash holds as long as all of these are what fstat(2) says: ctime
// catches a change that put size and mtime back.
struct FileVersion {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
  std::int64_t ctime_ns = 0;
  friend bool operator==(const FileVersion&, const FileVersion&) = default;
};

struct AuditLine {
  std::int64_t at = 0;
  std::string user = {};    // empty: nobody was signed in
  std::string source = {};  // where from: "127.0.0.1:5000"
  std::string action = {};  // "login", "put", "run" ...
  std::string object = {};  // a path, an argv, a name
  std::string result = {};  // "ok", or why not
};

}  // namespace hawser::hub
