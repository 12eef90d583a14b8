#include <hawser/process/popen.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <string_view>

#include <hawser/base/errors.h>
#include <hawser/base/system_calls.h>
#include <hawser/fiber/offload.h>
#include <hawser/fiber/run.h>
#include <hawser/process/child_start.h>
#include <hawser/process/popen_state.h>
#include <hawser/process/pty.h>

namespace hawser {
namespace {

// One standard stream while a child is being started.
class Wiring {
 public:
  Wiring(const Pipe& pipe, Direction ours) : pipe_(pipe) {
    if (pipe.fd() >= 0) {
      child_ = pipe.fd();
    } else if (PipeStream* stream = pipe.stream()) {
      if (stream->closed()) throw SocketClosed("hand over", stream->peer());
      if (stream->direction() == ours)
        throw std::logic_error("hand over " + stream->peer() + ": the wrong end of a pipe");
      child_ = stream->fd();
    } else if (pipe.is(Pipe::open)) {
      auto [read_end, write_end] = make_pipe();
      held_ = std::move(ours == Direction::read ? write_end : read_end);
      our_end = std::move(ours == Direction::read ? read_end : write_end);
      child_ = held_.get();
    }
  }
  Wiring(const Wiring&) = delete;
  Wiring& operator=(const Wiring&) = delete;
  // When no child was started a stream that was to be handed over is as it was.
  ~Wiring() {
    if (!blocking_) return;
    const int flags = ::fcntl(child_, F_GETFL);
    ::fcntl(child_, F_SETFL, flags | O_NONBLOCK);
  }

  // What may take a while: files may lie on a slow disk, or be pipes that nobody has opened yet. Gives what the child
  // gets; -1 inherits.
  int ready_for_child() {
    if (pipe_.stream()) {
      set_nonblocking(child_, false);
      blocking_ = true;
    } else if (pipe_.is(Pipe::null)) {
      open("/dev/null", O_RDWR | O_CLOEXEC);
    } else if (!pipe_.path().empty()) {
      open(pipe_.path(), pipe_.open_flags());
    }
    return child_;
  }

  void started() noexcept {
    blocking_ = false;
    if (pipe_.stream()) pipe_.stream()->close();
  }

  UniqueFd our_end;

 private:
  void open(const std::string& path, int flags) {
    do {
      held_.reset(detail::sys::open(path.c_str(), flags, 0666));
    } while (!held_ && errno == EINTR);
    if (!held_) throw_errno("open", path);
    child_ = held_.get();
  }

  const Pipe& pipe_;
  int child_ = -1;
  UniqueFd held_;  // closed once the child has its own
  bool blocking_ = false;
};

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
  Wiring in(options.stdin_, Direction::write);
  Wiring out(options.stdout_, Direction::read);
  Wiring err(options.stderr_, Direction::read);
  const bool has_group = options.group != ProcessGroup::shared || options.terminal;

  state_ = std::make_unique<State>(std::move(command), has_group);
  adopt_stream(state_->in, std::move(in.our_end), Direction::write, state_->command, "standard input");
  adopt_stream(state_->out, std::move(out.our_end), Direction::read, state_->command, "standard output");
  adopt_stream(state_->err, std::move(err.our_end), Direction::read, state_->command, "standard error");
  // Starting stops the thread until the program is loaded, which a slow disk can make long. Even when the wait for it
  // ends with an exception there may be a child by then; the state knows of it and ends it.
  offload([&] {
    const UniqueFd terminal = options.terminal ? options.terminal->open_terminal() : UniqueFd();
    const auto or_terminal = [&](int fd) { return fd >= 0 ? fd : terminal.get(); };
    const int child_out = or_terminal(out.ready_for_child());
    start.set_stream(STDIN_FILENO, or_terminal(in.ready_for_child()));
    start.set_stream(STDOUT_FILENO, child_out);
    if (options.stderr_.is(Pipe::merged)) {
      start.set_stream(STDERR_FILENO, child_out >= 0 ? child_out : STDOUT_FILENO);
    } else {
      start.set_stream(STDERR_FILENO, or_terminal(err.ready_for_child()));
    }
    start.set_terminal(terminal.get());
    state_->adopt(start.run());
    for (Wiring* each : {&in, &out, &err}) each->started();
  });
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
