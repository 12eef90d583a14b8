#include <hawser/process/run_command.h>

#include <csignal>
#include <cstring>
#include <memory>
#include <utility>

namespace hawser {
namespace {

PopenOptions popen_options(CommandOptions& options) {
  PopenOptions popen;
  popen.stdin_ = options.input ? Pipe::open : Pipe::null;
  popen.stdout_ = options.capture ? Pipe::open : Pipe::inherit;
  popen.stderr_ = options.capture && options.stderr_.is(Pipe::inherit) ? Pipe(Pipe::open) : options.stderr_;
  popen.env = std::move(options.env);
  popen.add_env = std::move(options.add_env);
  popen.cwd = std::move(options.cwd);
  popen.cwd_fd = options.cwd_fd;
  popen.group = options.group;
  return popen;
}

std::string failure(const Completed& completed) {
  std::string text = completed.command.text() + ": ";
  if (completed.return_code >= 0) return text + "exit " + std::to_string(completed.return_code);
  const char* name = ::sigabbrev_np(-completed.return_code);
  return text + (name ? "SIG" + std::string(name) : "signal " + std::to_string(-completed.return_code));
}

}  // namespace

CommandFailed::CommandFailed(Completed completed)
    : std::runtime_error(failure(completed)), completed_(std::make_shared<const Completed>(std::move(completed))) {}

Completed run_command(Command command, CommandOptions options) {
  const Expiry expiry = Expiry::of(options.timeout);
  const BytesView input = options.input ? BytesView(*options.input) : BytesView();
  Popen child(command, popen_options(options));
  Completed completed{.command = std::move(command), .out = {}, .err = {}};
  try {
    auto [out, err] = child.communicate(input, expiry.left(), options.output_limit);
    completed.out = std::move(out);
    completed.err = std::move(err);
  } catch (const CommandTimedOut& timed_out) {
    throw CommandTimedOut(timed_out.what(), child.kill_and_drain());
  }
  completed.return_code = *child.poll();
  completed.truncated = child.output_truncated();
  if (options.check && !completed.ok()) throw CommandFailed(std::move(completed));
  return completed;
}

}  // namespace hawser
