// How a command ends: its exit code, and the error that leads there.
//
// Every part of the command line throws Failure (or lets a library error pass) and the dispatcher alone turns it into
// words on standard error, an object on standard output with --json, and an exit code.
#pragma once

#include <cstdint>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace hawser::cli {

enum class Exit : std::uint8_t {
  done = 0,
  failed = 1,         // the hub refused, or the work failed
  usage = 2,          // wrong usage
  unreachable = 3,    // cannot reach or trust the hub
  not_signed_in = 4,  // no session, or one that has ended
  interrupted = 130,  // Ctrl-C
};

// code() is the hub's error code where the hub spoke ("not_found"), and a word of our own elsewhere.
class Failure : public std::runtime_error {
 public:
  Failure(Exit exit, std::string code, const std::string& message)
      : std::runtime_error(message), exit_(exit), code_(std::move(code)) {}
  [[nodiscard]] Exit exit() const noexcept { return exit_; }
  [[nodiscard]] const std::string& code() const noexcept { return code_; }

 private:
  Exit exit_;
  std::string code_;
};

// Something on this side after which a command does not go on with what else it was asked for.
class FinalFailure : public Failure {
 public:
  explicit FinalFailure(const std::string& message) : Failure(Exit::failed, "local", message) {}
};

[[nodiscard]] inline Failure usage_error(const std::string& message) { return {Exit::usage, "usage", message}; }
[[nodiscard]] inline Failure unreachable(const std::string& message) {
  return {Exit::unreachable, "unreachable", message};
}
[[nodiscard]] inline Failure untrusted(const std::string& message) { return {Exit::unreachable, "untrusted", message}; }
[[nodiscard]] inline Failure not_signed_in(const std::string& message) {
  return {Exit::not_signed_in, "unauthenticated", message};
}
// Something on this side: a local file, a terminal.
[[nodiscard]] inline Failure local_failure(const std::string& message) { return {Exit::failed, "local", message}; }

// What the hub answered instead of "ok": exit code 4 for `unauthenticated`, 1 for all others.
[[nodiscard]] Failure refusal(std::string code, const std::string& message);

// Any exception as a Failure: those of the library get the exit code and words that belong to them.
[[nodiscard]] Failure to_failure(const std::exception_ptr& error);

}  // namespace hawser::cli
