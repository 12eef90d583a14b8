// run_command: runs a command to its end, like Python's subprocess.run.
//
//   Completed done = run_command({"ls", "-l"}, {.capture = true, .timeout = 10s});
//
// Waits for the end of the command and, when output is captured, of its pipes. When the time is up the command is
// killed (with its group, if it has its own) and CommandTimedOut is thrown, with what was written so far, even when a
// process that it left behind still holds the pipes. The same happens before DeadlineExceeded or Cancelled passes on.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <hawser/base/bytes.h>
#include <hawser/base/clock.h>
#include <hawser/process/command.h>
#include <hawser/process/popen.h>

namespace hawser {

struct CommandOptions {
  // Reads standard output and standard error, each unless stdout_ or stderr_ says otherwise, into Completed.
  bool capture = false;
  // Written to the command's standard input. Without it the command finds the end of file there, or what stdin_ says.
  std::optional<Bytes> input = std::nullopt;
  Timeout timeout = std::nullopt;
  // Throws CommandFailed unless the return code is 0.
  bool check = false;
  // At most this much is kept of each stream; the rest is read and dropped.
  std::size_t output_limit = Popen::kOutputLimit;
  Pipe stdin_ = Pipe::null;
  Pipe stdout_ = Pipe::inherit;
  Pipe stderr_ = Pipe::inherit;
  std::optional<Environment> env = std::nullopt;
  Environment add_env = {};
  std::string cwd = {};
  int cwd_fd = -1;
  ProcessGroup group = ProcessGroup::shared;
  std::vector<int> keep_fds = {};
  std::map<int, int> map_fds = {};
};

// A command that has ended, with what it wrote as text.
struct CompletedText {
  Command command;
  int return_code = 0;
  std::string out;
  std::string err;
  bool truncated = false;
  [[nodiscard]] bool ok() const noexcept { return return_code == 0; }
};

struct Completed {
  Command command;
  int return_code = 0;  // -N when signal N ended it
  Bytes out;
  Bytes err;
  bool truncated = false;
  [[nodiscard]] bool ok() const noexcept { return return_code == 0; }
  // As output_text() gives it. Where output was cut off at the limit, a character cut in two is left out.
  [[nodiscard]] CompletedText text(Codec codec = "utf-8", OnError on_error = OnError::strict) const;
};

// The command ended with another code than 0: `ls x: exit 2`, `sleep 9: SIGKILL`.
class CommandFailed : public std::runtime_error {
 public:
  explicit CommandFailed(Completed completed);
  [[nodiscard]] const Completed& completed() const noexcept { return *completed_; }

 private:
  std::shared_ptr<const Completed> completed_;
};

// Throws SystemError and std::invalid_argument like Popen, the latter also for both input and stdin_; CommandTimedOut,
// CommandFailed, DeadlineExceeded, Cancelled.
Completed run_command(Command command, CommandOptions options = {});

}  // namespace hawser
