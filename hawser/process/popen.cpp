#include <hawser/process/popen.h>

#include <fcntl.h>
#include <unistd.h>

#include <stdexcept>
#include <string_view>

#include <hawser/base/errors.h>
#include <hawser/base/system_calls.h>
#include <hawser/fiber/offload.h>
#include <hawser/fiber/run.h>
#include <hawser/process/child_start.h>
#include <hawser/process/popen_state.h>

namespace hawser {
namespace {

// One standard stream while a child is being started.
struct Wiring {
  int child = -1;  // what the child gets; -1 inherits
  UniqueFd held;   // closed once the child has its own
  UniqueFd our_end;
};

Wiring wire(Pipe pipe, Direction ours) {
  Wiring wiring;
  if (pipe.fd() >= 0) {
    wiring.child = pipe.fd();
  } else if (pipe.is(Pipe::null)) {
    wiring.held.reset(detail::sys::open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!wiring.held) throw_errno("open", "/dev/null");
    wiring.child = wiring.held.get();
  } else if (pipe.is(Pipe::open)) {
    auto [read_end, write_end] = make_pipe();
    wiring.held = std::move(ours == Direction::read ? write_end : read_end);
    wiring.our_end = std::move(ours == Direction::read ? read_end : write_end);
    wiring.child = wiring.held.get();
  }
  return wiring;
}

void adopt_stream(std::optional<PipeStream>& stream, UniqueFd fd, Direction ours, const Command& command,
                  std::string_view what) {
  if (fd) stream.emplace(std::move(fd), ours, std::string(what) + " of " + command.argv.front());
}

PipeStream& opened(std::optional<PipeStream>& stream, const char* what) {
  if (!stream) throw std::logic_error(std::string(what) + " of the child is not a pipe");
  return *stream;
}

}  // namespace

Popen::Popen(Command command, PopenOptions options) {
  if (options.stdin_.is(Pipe::merged) || options.stdout_.is(Pipe::merged)) {
    throw std::invalid_argument("only standard error can be merged");
  }
  detail::ChildStart start(command, options);
  Wiring in = wire(options.stdin_, Direction::write);
  Wiring out = wire(options.stdout_, Direction::read);
  Wiring err = wire(options.stderr_, Direction::read);
  if (options.stderr_.is(Pipe::merged)) err.child = out.child >= 0 ? out.child : STDOUT_FILENO;
  start.set_stream(STDIN_FILENO, in.child);
  start.set_stream(STDOUT_FILENO, out.child);
  start.set_stream(STDERR_FILENO, err.child);

  state_ = std::make_unique<State>(std::move(command), options.group != ProcessGroup::shared);
  adopt_stream(state_->in, std::move(in.our_end), Direction::write, state_->command, "standard input");
  adopt_stream(state_->out, std::move(out.our_end), Direction::read, state_->command, "standard output");
  adopt_stream(state_->err, std::move(err.our_end), Direction::read, state_->command, "standard error");
  // Starting stops the thread until the program is loaded, which a slow disk can make long. Even when the wait for it
  // ends with an exception there may be a child by then; the state knows of it and ends it.
  offload([&] { state_->adopt(start.run()); });
}

Popen::Popen(Popen&&) noexcept = default;
Popen& Popen::operator=(Popen&&) noexcept = default;
Popen::~Popen() = default;

pid_t Popen::pid() const noexcept { return state_->pid; }
const Command& Popen::command() const noexcept { return state_->command; }

PipeStream& Popen::input() const { return opened(state_->in, "standard input"); }
PipeStream& Popen::output() const { return opened(state_->out, "standard output"); }
PipeStream& Popen::errors() const { return opened(state_->err, "standard error"); }

std::optional<int> Popen::poll() { return state_->poll(); }

int Popen::wait(Timeout timeout) {
  if (!state_->wait(Expiry::of(timeout))) throw TimedOut("wait for " + state_->command.argv.front() + ": timed out");
  return *state_->poll();
}

void Popen::send_signal(int signal) { state_->send(signal); }
void Popen::signal_group(int signal) { state_->send_to_group(signal); }

int Popen::stop(Duration grace, int signal) {
  const Expiry expiry = Expiry::in(grace);
  state_->send_to_group(signal);
  try {
    static_cast<void>(state_->wait(expiry));
  } catch (...) {
    state_->send_to_group(SIGKILL);
    state_->wait_to_the_end();
    throw;
  }
  state_->send_to_group(SIGKILL);
  state_->wait_to_the_end();
  return *state_->poll();
}

Output Popen::kill_and_drain() {
  state_->send_to_group(SIGKILL);
  state_->wait_to_the_end();
  state_->drain();
  return state_->take_output();
}

bool Popen::output_truncated() const noexcept {
  return state_->collected_out.truncated || state_->collected_err.truncated;
}

}  // namespace hawser
