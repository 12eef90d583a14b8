// Sessions: who is signed in where, kept between commands in the file `sessions` (0600) of the state folder.
//
// The latest one comes first: it is what commands use that are not told which hub or user. Reading and changing block
// on the disk for microseconds; a file that is damaged counts as empty, for all it costs is signing in again.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hawser::cli {

struct SavedSession {
  std::string hub;  // HubName::text()
  std::string user;
  std::string token;
  std::int64_t expires = 0;  // Unix seconds
  bool plain = false;        // the hub was reached without TLS, as the user had asked
};

class Sessions {
 public:
  static constexpr std::size_t kMost = 64;  // the oldest go

  explicit Sessions(const std::filesystem::path& state_folder) : file_(state_folder / "sessions") {}

  [[nodiscard]] std::vector<SavedSession> all() const;
  // The latest one of that hub and that user; empty means any.
  [[nodiscard]] std::optional<SavedSession> find(std::string_view hub, std::string_view user) const;
  // Puts it first, in place of what that user had on that hub.
  void save(const SavedSession& session) const;
  void forget(std::string_view hub, std::string_view user) const;

 private:
  std::filesystem::path file_;
};

}  // namespace hawser::cli
