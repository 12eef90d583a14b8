// What a hub is started with: the options of `hawser up`, from the command line, from a TOML file, or both.
//
//   [hub]                          # every key may be left out; the command line wins
//   listen = "127.0.0.1:7700"
//   root = "/srv/hawser"
//   plain = false
//   plain-anywhere = false
//   open-registration = false
//   allow-run = "admins"           # admins | members | none
//   max-connections = 10000
//   log-level = "info"             # debug | info | warning | error
//   drain-seconds = 30
//
// Nothing here waits on the network; read_options_file() reads one file.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include <hawser/base/log.h>

namespace hawser::hub {

enum class AllowRun : std::uint8_t { none, admins, members };

// Throws OptionsError, naming the three words.
[[nodiscard]] AllowRun parse_allow_run(std::string_view word);
[[nodiscard]] std::string_view to_string(AllowRun allow) noexcept;
// debug, info, warning or error. Throws OptionsError.
[[nodiscard]] LogLevel parse_log_level(std::string_view word);

// An option that makes no sense. Wrong usage: the command line exits with 2.
class OptionsError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Options {
  std::string listen = "127.0.0.1:7700";  // port 0: any free one
  std::filesystem::path root;             // everything the hub keeps; must be set by the caller
  bool plain = false;                     // TCP without TLS; only on loopback
  bool plain_anywhere = false;            // and anywhere else too
  bool open_registration = false;         // anybody may register without an invite
  AllowRun allow_run = AllowRun::admins;
  std::size_t max_connections = 10'000;
  LogLevel log_level = LogLevel::info;
  std::chrono::seconds drain{30};  // how long a stopping hub waits for what goes on
};

// What was really given; the rest stays as it was.
struct OptionsPatch {
  std::optional<std::string> listen;
  std::optional<std::filesystem::path> root;
  std::optional<bool> plain;
  std::optional<bool> plain_anywhere;
  std::optional<bool> open_registration;
  std::optional<AllowRun> allow_run;
  std::optional<std::size_t> max_connections;
  std::optional<LogLevel> log_level;
  std::optional<std::chrono::seconds> drain;
};

void apply(const OptionsPatch& patch, Options& options);

// Throws OptionsError with file and line for what TOML does not allow, for a value of the wrong kind and for a key that
// no hub knows (naming it); SystemError when the file cannot be read.
[[nodiscard]] OptionsPatch read_options_file(const std::filesystem::path& file);

// Throws OptionsError when they do not fit together: no root, a listening address that is none, plain beyond loopback
// without plain_anywhere.
void check(const Options& options);

}  // namespace hawser::hub
