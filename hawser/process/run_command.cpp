#include <hawser/process/run_command.h>

#include <csignal>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <utility>

#include <hawser/process/command_parts.h>

namespace hawser {

PopenOptions detail::popen_options(CommandOptions& options) {
  if (options.input && !options.stdin_.is(Pipe::null)) {
    throw std::invalid_argument("both input and stdin_ for a command");
  }
  // Nobody would write to it, or read from it: the command would wait for ever.
  if (options.stdin_.is(Pipe::open)) throw std::invalid_argument("a pipe for stdin_ of a command: give input");
  const auto captured = [&](Pipe& pipe) {
    return options.capture && pipe.is(Pipe::inherit) ? Pipe(Pipe::open) : std::move(pipe);
  };
  PopenOptions popen;
  popen.stdin_ = options.input ? Pipe(Pipe::open) : std::move(options.stdin_);
  popen.stdout_ = captured(options.stdout_);
  popen.stderr_ = captured(options.stderr_);
  popen.env = std::move(options.env);
  popen.add_env = std::move(options.add_env);
  popen.cwd = std::move(options.cwd);
  popen.cwd_fd = options.cwd_fd;
  popen.group = options.group;
  popen.keep_fds = std::move(options.keep_fds);
  popen.map_fds = std::move(options.map_fds);
  return popen;
}

std::string detail::how_it_ended(int return_code) {
  if (return_code >= 0) return "exit " + std::to_string(return_code);
  const char* name = ::sigabbrev_np(-return_code);
  return name ? "SIG" + std::string(name) : "signal " + std::to_string(-return_code);
}

CommandFailed::CommandFailed(Completed completed)
    : std::runtime_error(completed.command.text() + ": " + detail::how_it_ended(completed.return_code)),
      completed_(std::make_shared<const Completed>(std::move(completed))) {}

CompletedText Completed::text(Codec codec, OnError on_error) const {
  const Ending ending = truncated ? Ending::cut : Ending::whole;
  return {.command = command,
          .return_code = return_code,
          .out = output_text(out, codec, on_error, ending),
          .err = output_text(err, codec, on_error, ending),
          .truncated = truncated};
}

Completed run_command(Command command, CommandOptions options) {
  const Expiry expiry = Expiry::of(options.timeout);
  const BytesView input = options.input ? BytesView(*options.input) : BytesView();
  Popen child(command, detail::popen_options(options));
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
