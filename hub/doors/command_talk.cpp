#include "hub/doors/command_talk.h"

#include <fcntl.h>

#include <algorithm>
#include <csignal>
#include <mutex>

#include <hawser/base/errors.h>
#include <hawser/fiber/cancellation.h>
#include <hawser/fiber/deadline.h>
#include <hawser/fiber/run.h>

#include "hub/doors/pace.h"
#include "hub/doors/signal_names.h"

namespace hawser::hub {

namespace {

using namespace std::chrono_literals;

constexpr auto kHangUpGrace = 5s;
constexpr auto kTimeoutGrace = 2s;
// What a process that the command left behind may still hold open, silently, after the command's end.
constexpr auto kOrphanGrace = 1s;
// How long a client may take to read the last of the output.
constexpr auto kLastOutput = 60s;
// How often a peer is looked after while its input, or its next request, waits for the command.
constexpr auto kLookAfterPeer = 1s;

}  // namespace

CommandTalk::CommandTalk(NativeConversation& talk, const Frame& request, Popen& child,
                         std::chrono::milliseconds timeout)
    : talk_(talk),
      id_(request.header().find("id")),
      child_(child),
      expiry_(Expiry::in(timeout)),
      patience_(Expiry::in(timeout + kLastOutput)),
      limits_(talk.frames().limits()),
      out_{child.output(), "stdout", false, {}, {}, {}},
      err_{child.errors(), "stderr", false, {}, {}, {}} {
  // Silence is nothing unusual while a command runs.
  FrameLimits patient = limits_;
  patient.idle.reset();
  talk_.frames().set_limits(patient);
}

CommandTalk::~CommandTalk() { talk_.frames().set_limits(limits_); }

CommandTalk::End CommandTalk::run() {
  out_.fiber.spawn([this] { pump(out_); });
  err_.fiber.spawn([this] { pump(err_); });
  reader_.spawn([this] { read_client(); });
  const End end = wait_for_end();
  const Clock::time_point ended = Clock::now();
  drain(out_, ended);
  drain(err_, ended);
  if (!lost_) reader_.cancel();
  reader_.join();
  if (why_lost_) std::rethrow_exception(why_lost_);
  if (lost_) throw Broken("the client left while its command ran");
  return end;
}

CommandTalk::End CommandTalk::wait_for_end() {
  try {
    return {child_.wait(expiry_.left())};
  } catch (const TimedOut&) {
    // Below, outside of the handler: ending it takes its time.
  }
  return {child_.stop(kTimeoutGrace, SIGTERM), true};
}

void CommandTalk::pump(Pump& pump) {
  try {
    Bytes buffer = Bytes::uninitialised(kFirstBuffer);
    for (;;) {
      pump.reading_since = Clock::now();
      pump.reading = true;
      const std::size_t count = pump.from.read_some(buffer.span());
      pump.reading = false;
      if (count == 0) break;
      Json head = Json::object();
      if (id_ != nullptr) head.set("id", *id_);
      head.set("stream", pump.name);
      {
        const Deadline patience(patience_, "output to a client");
        const std::lock_guard hold(sending_);
        talk_.frames().send(head, BytesView(buffer).first(count));
      }
      if (count == buffer.size() && count < kLargestBuffer) {
        // It writes a lot: fewer, larger pieces. A pipe that cannot grow serves as it is.
        buffer = Bytes::uninitialised(kLargestBuffer);
        static_cast<void>(::fcntl(pump.from.fd(), F_SETPIPE_SZ, static_cast<int>(kLargestBuffer)));
      }
    }
  } catch (const Cancelled&) {
    pump.done.set();
    throw;
  } catch (const std::exception&) {
    lose(std::current_exception());
  }
  pump.done.set();
}

void CommandTalk::drain(Pump& pump, Clock::time_point ended) {
  while (!lost_) {
    const Duration silent = pump.reading ? Clock::now() - std::max(pump.reading_since, ended) : Duration(0);
    if (silent >= kOrphanGrace || pump.done.wait(kOrphanGrace - silent)) break;
  }
  pump.fiber.cancel();
  pump.fiber.join();
}

void CommandTalk::read_client() {
  std::exception_ptr why;
  try {
    while (const Frame frame = talk_.frames().receive()) {
      if (frame.header().contains("cmd")) {
        close_input();
        talk_.put_back(frame);
        break;
      }
      take(frame);
    }
    // Nothing more is read before the command has ended, so the end of the stream cannot be read either.
    while (!talk_.peer_has_left()) sleep(kLookAfterPeer);
  } catch (const Cancelled&) {
    throw;
  } catch (const std::exception&) {
    why = std::current_exception();
  }
  lose(why);
}

void CommandTalk::take(const Frame& frame) {
  const Json* id = frame.header().find("id");
  const bool ours = (id == nullptr) == (id_ == nullptr) && (id == nullptr || *id == *id_);
  if (!ours) {
    at_pace(frame.body_size(), [this] { talk_.frames().skip_body(); });
    return;
  }
  if (const Json* name = frame.header().find("signal"); name != nullptr && name->is_string()) {
    if (const auto signal = signal_number(name->as_string())) child_.signal_group(*signal);
  }
  feed();
  const Json* eof = frame.header().find("eof");
  if (eof != nullptr && eof->is_bool() && eof->as_bool()) close_input();
}

// Hands the body of the current frame to the command.
void CommandTalk::feed() {
  if (talk_.frames().body_left() == 0) return;
  Bytes buffer = Bytes::uninitialised(kFirstBuffer);
  while (const std::size_t count = at_pace(0, [&] { return talk_.frames().read_body(buffer.span()); })) {
    BytesView rest = BytesView(buffer).first(count);
    while (input_open_ && !rest.empty()) {
      try {
        const Deadline look(kLookAfterPeer, "input of a command");
        rest = rest.from(child_.input().write_some(rest));
      } catch (const DeadlineExceeded&) {
        // The command does not read. Its client may be gone behind all the input that it has sent.
        if (talk_.peer_has_left()) throw Broken("the client left while its command ran");
      } catch (const SystemError&) {
        close_input();  // the command has closed its input: what comes is dropped
      }
    }
  }
}

void CommandTalk::close_input() noexcept {
  input_open_ = false;
  child_.input().close();
}

void CommandTalk::lose(std::exception_ptr why) noexcept {
  if (std::exchange(lost_, true)) return;
  why_lost_ = std::move(why);
  try {
    child_.stop(kHangUpGrace, SIGHUP);
  } catch (const std::exception&) {
    // It is killed by the end of its Popen at the latest.
  }
}

}  // namespace hawser::hub
