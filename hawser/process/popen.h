// Popen: a child process with its standard streams, like Python's subprocess.Popen.
//
//   Popen child({"sort"}, {.stdin_ = Pipe::open, .stdout_ = Pipe::open});
//   auto [out, err] = child.communicate(text);
//
// The constructor returns when the program runs, and throws SystemError naming the program or the directory when it
// can't. The child has default signal dispositions, an empty signal mask and no descriptors but those named. It is
// waited for through a pidfd: no SIGCHLD handler, no other child touched, no process number ever confused.
//
// Leaving scope ends it: the pipes are closed, a child that still runs is killed (with its group, if it has its own),
// and it is reaped, so no zombie stays. wait() and the signalling calls may be used from several fibers and threads at
// once; communicate() by one. Waiting throws TimedOut, DeadlineExceeded and Cancelled and leaves the child running.
#pragma once

#include <sys/types.h>
#include <atomic>
#include <csignal>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <hawser/base/bytes.h>
#include <hawser/base/clock.h>
#include <hawser/process/command.h>
#include <hawser/process/output.h>
#include <hawser/process/pipe_stream.h>

namespace hawser {

class Popen {
 public:
  // Throws SystemError, std::invalid_argument (empty command, NUL in an argument, bad variable name).
  explicit Popen(Command command, PopenOptions options = {});
  Popen(Popen&&) noexcept;
  Popen& operator=(Popen&&) noexcept;
  ~Popen();

  [[nodiscard]] pid_t pid() const noexcept;
  [[nodiscard]] const Command& command() const noexcept;

  // The parent's ends of the pipes. std::logic_error when that stream is not Pipe::open.
  [[nodiscard]] PipeStream& input() const;
  [[nodiscard]] PipeStream& output() const;
  [[nodiscard]] PipeStream& errors() const;

  // The return code once the child has ended, -N when signal N ended it; nothing while it runs. Never waits.
  std::optional<int> poll();
  // Waits for the end and gives the return code. Throws TimedOut.
  int wait(Timeout timeout = std::nullopt);

  // Harmless when the child has ended. Throws SystemError when the signal is not allowed or not one.
  void send_signal(int signal);
  void terminate() { send_signal(SIGTERM); }
  void kill() { send_signal(SIGKILL); }
  // To the whole group when the child has its own, else the same as send_signal(). Reaches what the child has started
  // also after its own end: such a child is reaped only by the destructor, which keeps the group's number taken.
  void signal_group(int signal);
  // Ends the child's group: `signal`, then after `grace` SIGKILL. Waits, and gives the return code. Goes through with
  // it when cancelled meanwhile, at once with SIGKILL.
  int stop(Duration grace, int signal = SIGTERM);

  // Writes input to the child, closes its standard input, reads all it writes on the pipes that are open, and waits for
  // its end. Never deadlocks, whatever the child does first; a child that stops reading its input is no error. Keeps at
  // most `limit` bytes of each stream. On TimedOut (CommandTimedOut, with what came so far), DeadlineExceeded and
  // Cancelled nothing is lost: call again, without input, to go on. A timeout of zero moves what can be moved now.
  // Nobody else may use the streams meanwhile.
  Output communicate(BytesView input = {}, Timeout timeout = std::nullopt, std::size_t limit = kOutputLimit);
  static constexpr std::size_t kOutputLimit = std::size_t{64} << 20;
  // Kills the child (with its group, if it has its own), waits for its end, and gives what communicate() had read and
  // what is still in the pipes, without waiting for other processes that hold them.
  Output kill_and_drain();
  // True when the child wrote more than the limit and the rest was dropped.
  [[nodiscard]] bool output_truncated() const noexcept;

 private:
  friend struct CompletedPipeline run_pipeline(std::vector<Command> commands, struct CommandOptions options);
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hawser
