// Commands: who may run what, where and with which environment. The door starts the command and pumps its streams.
//
//   RunningCommand running = offload([&] { return commands.begin(session, request); });
//   Popen child(running.command(), running.options());   // options: pipes open; the door may change the streams
//   ... running.started(pid) ... running.ended("exit 0");
//
// A command runs as the hub's own user, in its own process group, with HOME in the user's home, a fresh environment
// (nothing of the hub's own but PATH, LANG and TZ) and its working directory inside the home, given as a descriptor, so
// that nobody can swap it for a link. It is not locked in there: who may run commands may do what the hub's user may.
//
// begin() blocks (disk); the rest of RunningCommand is cheap, except that started() writes to the disk:
// run it inside offload() too. Any thread; one RunningCommand by one thread at a time.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/process/command.h>

#include "hub/service/audit.h"
#include "hub/service/files.h"
#include "hub/service/session.h"

namespace hawser::hub {

enum class RunPolicy : std::uint8_t { none, admins, members };

struct CommandOptions {
  RunPolicy policy = RunPolicy::admins;
  std::size_t at_once = 256;
  std::size_t at_once_per_user = 32;
  std::chrono::milliseconds longest{24 * 3600 * 1000};  // the timeout of a command that asks for none, or for more
  std::size_t max_arguments = 1024;
  std::size_t max_bytes = 128 * 1024;  // of all arguments, and of all of the environment
};

struct CommandRequest {
  std::vector<std::string> argv;     // either this
  std::optional<std::string> shell;  // or a text for /bin/sh
  Path cwd;                          // the home when left out
  std::map<std::string, std::string, std::less<>> env;
  std::optional<std::chrono::milliseconds> timeout;
};

class RunningCommand {
 public:
  struct Parts;
  explicit RunningCommand(std::unique_ptr<Parts> parts);
  RunningCommand(RunningCommand&&) noexcept;
  RunningCommand& operator=(RunningCommand&&) noexcept;
  // Frees the place. A command that was begun and of which nothing was heard is written down as "abandoned".
  ~RunningCommand();

  [[nodiscard]] const Command& command() const noexcept;
  // Own group, all three streams piped, environment and cwd_fd set; cwd_fd is owned by the RunningCommand.
  [[nodiscard]] const PopenOptions& options() const noexcept;
  [[nodiscard]] std::chrono::milliseconds timeout() const noexcept;

  // Write the audit lines: that it runs (on disk at return), how it ended ("exit 0", "signal SIGKILL", "timeout", or
  // why it never ran).
  void started(std::int64_t pid) noexcept;
  void ended(std::string_view how) noexcept;

 private:
  std::unique_ptr<Parts> parts_;
};

class Commands {
 public:
  Commands(Files& files, Audit& audit, CommandOptions options = {});
  Commands(const Commands&) = delete;
  Commands& operator=(const Commands&) = delete;
  ~Commands();

  // Throws ServiceError: forbidden (policy, cwd outside), bad_request (nothing to run, both argv and shell, NUL bytes,
  // bad names of variables, zero or negative timeout), too_large, not_found or conflict (cwd), busy (too many at once).
  [[nodiscard]] RunningCommand begin(const Session& session, const CommandRequest& request);

 private:
  friend class RunningCommand;
  struct Parts;
  std::shared_ptr<Parts> parts_;  // shared with every RunningCommand
};

}  // namespace hawser::hub
