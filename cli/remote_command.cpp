#include "cli/remote_command.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <mutex>
#include <utility>

#include <unistd.h>

#include <fmt/format.h>

#include <hawser/base/errors.h>
#include <hawser/fiber/cancellation.h>
#include <hawser/fiber/task.h>

namespace hawser::cli {
namespace {

constexpr std::size_t kOutputPiece = 256 * 1024;
constexpr std::size_t kInputPiece = 64 * 1024;
constexpr std::string_view kFirstRealTime = "SIGRTMIN+";

// Ends a fiber that serves us and waits for it, whatever happens.
class Helper {
 public:
  explicit Helper(Task<void> task) : task_(std::move(task)) {}
  Helper(const Helper&) = delete;
  Helper& operator=(const Helper&) = delete;
  ~Helper() {
    const Shield shield;
    task_.kill();
    task_.join();
    static_cast<void>(task_.exception());
  }

 private:
  Task<void> task_;
};

}  // namespace

int signal_number(std::string_view name) noexcept {
  if (!name.starts_with("SIG")) return 0;
  if (name.starts_with(kFirstRealTime)) {
    const std::string_view digits = name.substr(kFirstRealTime.size());
    int beyond = 0;
    const auto [end, error] = std::from_chars(digits.begin(), digits.end(), beyond);
    const bool is_one = error == std::errc() && end == digits.end();
    return is_one && beyond > -SIGRTMIN && beyond <= SIGRTMAX - SIGRTMIN ? SIGRTMIN + beyond : 0;
  }
  name.remove_prefix(3);
  for (int number = 1; number < NSIG; ++number)
    if (const char* known = ::sigabbrev_np(number); known != nullptr && name == known) return number;
  return 0;
}

std::string signal_name(int number) {
  const char* known = ::sigabbrev_np(number);
  return known != nullptr ? fmt::format("SIG{}", known) : fmt::format("SIG{}", number);
}

int RemoteCommand::run(Json request, bool forward_input_too) {
  hub_.ask(std::move(request));
  id_ = hub_.last_id();
  const Frame started = hub_.answer();
  report_.detail(fmt::format("Runs as process {}", started.header().get_int64("pid", 0)));

  const Helper signals(spawn([this] { forward_signals(); }));
  const Helper input(spawn([this, forward_input_too] {
    if (forward_input_too)
      forward_input();
    else
      send({{"stream", "stdin"}, {"eof", true}});
  }));
  LocalOutput out(STDOUT_FILENO, "standard output"), err(STDERR_FILENO, "standard error");
  for (;;) {
    const Frame frame = hub_.answer(true);
    const std::string stream = frame.header().get_string("stream", "");
    if (stream.empty()) return end_of(frame.header());
    try {
      write_out(stream == "stderr" ? err : out);
    } catch (const SystemError& error) {
      // Who was reading has gone, and has no more use for the command: it ends with the connection.
      if (error.error_number() == EPIPE) throw Failure(Exit::failed, "local", "");
      throw local_failure(error.what());
    }
  }
}

void RemoteCommand::write_out(LocalOutput& to) {
  FrameStream& frames = hub_.frames();
  thread_local Bytes piece;
  while (frames.body_left() > 0) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(frames.body_left(), kOutputPiece));
    if (piece.size() < wanted) piece = Bytes::uninitialised(wanted);
    const std::size_t got = frames.read_body_exactly(piece.span().first(wanted));
    to.write_all(BytesView(piece).first(got));
  }
}

int RemoteCommand::end_of(const Json& last) const {
  if (const Json* code = last.find("exit")) return static_cast<int>(code->as_int64() & 0xFF);
  if (const Json* signal = last.find("signal")) {
    const std::string& name = signal->as_string();
    report_.detail(fmt::format("Ended by {}", name));
    const int number = signal_number(name);
    return 128 + (number != 0 ? number : 1);
  }
  if (last.get_bool("timeout", false)) {
    constexpr int kTimeout = 124;  // as timeout(1) has it
    report_.say("hawser: run: the time is up");
    return kTimeout;
  }
  throw unreachable("the hub said something about the command that this program does not understand");
}

void RemoteCommand::send(Json header, BytesView body) {
  header.set("id", id_);
  const std::lock_guard hold(sending_);
  hub_.frames().send(header, body);
}

void RemoteCommand::forward_input() {
  try {
    LocalInput input(STDIN_FILENO, "standard input");
    Bytes piece = Bytes::uninitialised(kInputPiece);
    for (;;) {
      std::size_t got = 0;
      try {
        got = input.read_some(piece.span());
      } catch (const SystemError& error) {
        // Closed, or a terminal that is gone: the command gets the end of its input.
        report_.detail(error.what());
      }
      if (got == 0) return send({{"stream", "stdin"}, {"eof", true}});
      send({{"stream", "stdin"}}, BytesView(piece).first(got));
    }
  } catch (const SystemError&) {
    // The connection is gone; the receiving side says so.
  } catch (const TlsError&) {
  }
}

void RemoteCommand::forward_signals() {
  const int signal = interrupt_.next();
  // Input that the command does not read may be in the way.
  constexpr std::chrono::seconds kPatience{1};
  try {
    if (sending_.acquire(kPatience)) {
      const std::unique_lock hold(sending_, std::adopt_lock);
      hub_.frames().send({{"id", id_}, {"signal", signal_name(signal)}});
      return;
    }
  } catch (const SystemError&) {
  } catch (const TlsError&) {
  }
  // A second signal ends us, which ends the command; here the first must do.
  report_.say("hawser: run: the command does not read its input, so the connection is closed to end it");
  hub_.close();
}

}  // namespace hawser::cli
