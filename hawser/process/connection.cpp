#include <hawser/process/connection.h>

#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include <hawser/base/errors.h>
#include <hawser/base/fork.h>
#include <hawser/base/system_calls.h>
#include <hawser/fiber/pollable.h>
#include <hawser/process/receive_buffer.h>

namespace hawser {
namespace {

using Length = std::uint64_t;
constexpr std::size_t kHead = sizeof(Length);

const std::string kName = "connection";

// Both ends as they were made. A process that was forked with both, and uses one, closes the other.
struct Ends {
  Pollable sockets[2];
  std::atomic<std::uint32_t> generation{detail::fork_generation()};

  Ends(UniqueFd a, UniqueFd b) : sockets{Pollable(std::move(a)), Pollable(std::move(b))} {}
};

}  // namespace

struct Connection::End {
  std::shared_ptr<Ends> both;
  int which = 0;
  std::size_t limit = 0;

  detail::ReceiveBuffer arrived;  // from the head of the next message on
  std::size_t taken = 0;          // of arrived: the message that was given last
  bool finished = false;          // the peer will send no more

  Pollable& socket() {
    const std::uint32_t now = detail::fork_generation();
    if (both->generation.exchange(now, std::memory_order_relaxed) != now) both->sockets[1 - which].close();
    return both->sockets[which];
  }

  // The next message, when all of it is there. Throws SerialiseError.
  std::optional<BytesView> next_message() {
    const BytesView there = arrived.there();
    if (there.size() < kHead) return std::nullopt;
    Length length = 0;
    std::memcpy(&length, there.data(), kHead);
    if (length > limit) {
      throw SerialiseError("receive: a message of " + std::to_string(length) + " bytes, where the limit is " +
                           std::to_string(limit));
    }
    if (there.size() - kHead < length) return std::nullopt;
    return there.from(kHead).first(static_cast<std::size_t>(length));
  }

  // Reads until a message or the end is there; false when the expiry came first.
  bool gather(Expiry expiry) {
    arrived.use(std::exchange(taken, 0));
    if (next_message() || finished) return true;
    Pollable::Use use(socket(), Direction::read, "receive", kName);
    for (;;) {
      if (use.maybe_ready()) {
        const auto room = arrived.room();
        const ssize_t got = detail::sys::recv(use.fd(), room.data(), room.size(), MSG_DONTWAIT);
        const int error = errno;
        arrived.received(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
        if (got == 0 || (got < 0 && error == ECONNRESET)) {
          finished = true;  // reset: the peer went without reading all that we sent
          return true;
        }
        if (got > 0 && next_message()) return true;
        if (got > 0 || error == EINTR) continue;
        if (error != EAGAIN) throw SystemError(error, "receive", kName);
        use.drained();
      }
      const Wake why = use.wait(expiry);
      if (why == Wake::expired) return false;
      throw_unless_ready(why, "receive");
    }
  }

  void write(std::string_view message, Expiry expiry) {
    Pollable& out = socket();
    std::size_t sent = 0;
    try {
      Pollable::Use use(out, Direction::write, "send", kName);
      while (sent < message.size()) {
        if (use.maybe_ready()) {
          const ssize_t put =
              detail::sys::send(use.fd(), message.data() + sent, message.size() - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
          if (put >= 0) {
            sent += static_cast<std::size_t>(put);
            continue;
          }
          if (errno == EINTR) continue;
          if (errno == ECONNRESET) errno = EPIPE;  // gone without reading all, or gone: the same to a sender
          if (errno != EAGAIN) throw_errno("send", kName);
          use.drained();
        }
        const Wake why = use.wait(expiry);
        if (why == Wake::expired) throw TimedOut("send: timed out");
        throw_unless_ready(why, "send");
      }
    } catch (...) {
      if (sent > 0 && !out.closed()) {
        const int fd = out.pin("shut down", kName);
        ::shutdown(fd, SHUT_WR);
        out.unpin();
      }
      throw;
    }
  }
};

Connection::Connection() noexcept = default;
Connection::Connection(std::unique_ptr<End> end) noexcept : end_(std::move(end)) {}
Connection::Connection(Connection&&) noexcept = default;
Connection& Connection::operator=(Connection&& other) noexcept {
  if (this != &other) {
    close();
    end_ = std::move(other.end_);
  }
  return *this;
}
Connection::~Connection() { close(); }

void Connection::close() noexcept {
  if (end_) end_->both->sockets[end_->which].close();
}

bool Connection::closed() const noexcept { return !end_ || end_->both->sockets[end_->which].closed(); }

int Connection::fd() const noexcept { return end_ ? end_->both->sockets[end_->which].fd() : -1; }

std::size_t Connection::limit() const noexcept { return end_ ? end_->limit : 0; }

Connection::End& Connection::end(const char* operation) const {
  if (!end_) throw SocketClosed(operation, kName);
  return *end_;
}

std::string Connection::new_message() { return std::string(kHead, '\0'); }

void Connection::send_message(std::string message, Timeout timeout) {
  End& mine = end("send");
  const Expiry expiry = Expiry::of(timeout);
  const Length length = message.size() - kHead;
  if (length > mine.limit) {
    throw std::length_error("send: a message of " + std::to_string(length) + " bytes, where the limit is " +
                            std::to_string(mine.limit));
  }
  std::memcpy(message.data(), &length, kHead);
  mine.write(message, expiry);
}

std::optional<BytesView> Connection::receive_message(Timeout timeout) {
  End& mine = end("receive");
  if (!gather(mine, Expiry::of(timeout))) throw TimedOut("receive: timed out");
  const auto message = mine.next_message();
  if (message) {
    mine.taken = kHead + message->size();
  } else if (!mine.arrived.there().empty()) {
    close();
    throw SerialiseError("receive: the peer went in the middle of a message");
  }
  return message;
}

void Connection::send_bytes(BytesView bytes, Timeout timeout) {
  std::string message = new_message();
  message += bytes.text();
  send_message(std::move(message), timeout);
}

std::optional<Bytes> Connection::receive_bytes(Timeout timeout) {
  const auto message = receive_message(timeout);
  return message ? std::optional(Bytes(message->span())) : std::nullopt;
}

bool Connection::poll(Timeout timeout) { return gather(end("poll"), Expiry::of(timeout)); }

// After a length that can't be, nothing that comes makes sense.
bool Connection::gather(End& mine, Expiry expiry) {
  try {
    return mine.gather(expiry);
  } catch (const SerialiseError&) {
    close();
    throw;
  }
}

std::pair<Connection, Connection> connection_pair(ConnectionOptions options) {
  int fds[2];
  if (detail::sys::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) != 0) {
    throw_errno("socketpair", "");
  }
  auto ends = std::make_shared<Ends>(UniqueFd(fds[0]), UniqueFd(fds[1]));
  auto make = [&](int which) {
    auto end = std::make_unique<Connection::End>();
    end->both = ends;
    end->which = which;
    end->limit = options.limit;
    return Connection(std::move(end));
  };
  Connection first = make(0);
  return {std::move(first), make(1)};
}

}  // namespace hawser
