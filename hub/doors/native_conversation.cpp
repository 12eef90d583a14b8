#include "hub/doors/native_conversation.h"

#include <array>
#include <exception>
#include <utility>

#include <fmt/format.h>

#include <hawser/base/errors.h>
#include <hawser/base/log.h>
#include <hawser/fiber/deadline.h>
#include <hawser/fiber/offload.h>

#include "hub/doors/native_commands.h"
#include "hub/doors/pace.h"

namespace hawser::hub {

namespace {

constexpr std::chrono::seconds kLinger{2};
constexpr std::uint64_t kLingerBytes = std::uint64_t{64} << 20;

FrameLimits limits() {
  FrameLimits limits;
  limits.idle = NativeConversation::kIdle;
  limits.header = NativeConversation::kHeader;
  return limits;
}

// A piece of input, a signal or a new size for a command that has ended in the meantime: nobody waits for an answer.
bool is_late_for_run(const Json& header) {
  return !header.contains("cmd") &&
         (header.contains("stream") || header.contains("signal") || header.contains("resize"));
}

}  // namespace

NativeConversation::NativeConversation(Stream& stream, const NativeServices& services, TransferBudget& budget,
                                       Conversations& all, std::function<bool()> has_left)
    : services_(services),
      budget_(budget),
      peer_(stream.peer()),
      frames_(stream, limits()),
      has_left_(std::move(has_left)),
      member_(all, stream) {}

void NativeConversation::serve() {
  for (;;) {
    if (!member_.wait_for_request()) return;
    std::optional<WireError> broken;
    Frame request;
    try {
      request = next_request();
    } catch (const FrameError&) {
      broken = wire_error(std::current_exception());
    } catch (const TimedOut&) {
      log_line(LogLevel::debug, fmt::format("{}: closed, idle for too long", peer_));
      return;
    }
    if (broken) {
      // No more than at debug: any stranger can have as many of these as connections.
      log_line(LogLevel::debug, fmt::format("{}: {}: {}", peer_, broken->code, broken->message));
      send_error(nullptr, *broken, true);
      return linger();
    }
    if (!request || !member_.begin_request()) return;
    if (carry_out(request) == Next::close) return linger();
  }
}

Frame NativeConversation::next_request() {
  if (waiting_) return *std::exchange(waiting_, std::nullopt);
  return frames_.receive();
}

NativeConversation::Next NativeConversation::carry_out(const Frame& request) {
  std::optional<WireError> error;
  const Json* id = nullptr;
  try {
    if (const Json* given = request.header().find("id")) {
      if (given->dump().size() > kLongestId) {
        throw ServiceError(ErrorCode::bad_request, fmt::format("an id of more than {} bytes", kLongestId));
      }
      id = given;
    }
    const Json* name = request.header().find("cmd");
    const NativeCommand command =
        name != nullptr && name->is_string() ? find_native_command(name->as_string()) : nullptr;
    // Until all of it has come, it may yet turn out to be no frame, of which nothing is carried out.
    if (!takes_body(command)) drop_body();
    if (command == nullptr && !is_late_for_run(request.header())) {
      throw UnknownCommand(fmt::format("no such command: {}", request["cmd"].as_string()));
    }
    if (!takes_body(command) && must_close()) {
      throw ServiceError(ErrorCode::too_large,
                         fmt::format("a body of {} bytes, where none is taken", request.body_size()));
    }
    if (command != nullptr) command(*this, request);
  } catch (const std::exception&) {
    error = wire_error(std::current_exception());
    if (!error) throw;
  }
  const bool closing = (error && error->ends_conversation) || must_close();
  if (error) send_error(id, *error, closing);
  if (closing) return Next::close;
  drop_body();
  return Next::go_on;
}

std::uint64_t NativeConversation::body_left() const noexcept {
  return waiting_ ? 0 : frames_.body_left();  // that of the next request is not ours
}

// What is left of the current body, if it is little enough to be worth the connection.
void NativeConversation::drop_body() {
  const std::uint64_t left = body_left();
  if (left > 0 && left <= kDropBody) at_pace(left, [this] { frames_.skip_body(); });
}

Session& NativeConversation::session() {
  if (!session_) throw ServiceError(ErrorCode::unauthenticated, "sign in first");
  if (!services_.accounts.is_current(*session_)) {
    try {
      offload([this] { services_.accounts.refresh(*session_); });
    } catch (const ServiceError& error) {
      if (error.code() == ErrorCode::unauthenticated) session_.reset();
      throw;
    }
  }
  return *session_;
}

Json NativeConversation::reply_to(const Frame& request) {
  Json reply = Json::object();
  if (const Json* id = request.header().find("id")) reply.set("id", *id);
  reply.set("ok", true);
  return reply;
}

void NativeConversation::send(const Json& header, BytesView body) {
  try {
    at_pace(body.size(), [&] { frames_.send(header, body); });
  } catch (const TooSlow&) {
    throw Broken("the peer reads too slowly");  // in the middle of a frame
  }
}

void NativeConversation::send_head(const Json& header) {
  try {
    at_pace(0, [&] { frames_.send_header(header); });
  } catch (const TooSlow&) {
    throw Broken("the peer reads too slowly");
  }
}

Bytes NativeConversation::read_body(std::size_t limit) {
  if (frames_.body_left() > limit) {
    throw ServiceError(ErrorCode::too_large,
                       fmt::format("a body of {} bytes, where at most {} are taken", frames_.body_left(), limit));
  }
  return at_pace(frames_.body_left(), [&] { return frames_.read_body_all(limit); });
}

void NativeConversation::send_error(const Json* id, const WireError& error, bool closing) {
  Json reply = Json::object();
  if (id != nullptr) reply.set("id", *id);
  reply.set("ok", false);
  reply.set("error", {{"code", error.code}, {"message", error.message}});
  if (closing) reply.set("closing", true);
  send(reply);
}

void NativeConversation::linger() noexcept {
  try {
    const Deadline deadline(kLinger, "lingering close");
    frames_.stream().shutdown_write();
    std::array<std::byte, 8192> dropped;
    std::uint64_t count = 0;
    while (count < kLingerBytes) {
      const std::size_t got = frames_.stream().read_some(dropped);
      if (got == 0) return;
      count += got;
    }
  } catch (const std::exception&) {
    // The peer has what it will get.
  }
}

}  // namespace hawser::hub
