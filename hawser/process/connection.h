// Connection: one end of a way for values between two processes, as Python's multiprocessing.Pipe() gives two.
//
//   auto [ours, theirs] = connection_pair();
//   Process child(work, std::move(theirs));   child.start();
//   ours.send(Job{...});
//   while (auto result = ours.receive<Result>()) use(*result);    // ends when the peer has gone
//
// Each value that is sent is one that is received, whole: what a type must be for that is told in
// <hawser/process/serialise.h>. receive() waits for a value and gives nothing at the end: when the peer has closed its
// end, or its process has ended, and all that was sent has been received. send() waits for room, and throws SystemError
// (EPIPE) when the peer has gone.
//
// The end is seen when *every* copy of the other end is closed, and a forked process has copies of both. So: move the
// child's end into the Process, and the parent's copy goes with start(). A child that uses its end lets go of its copy
// of the other by itself. Children that are forked later have copies too; those of fresh programs (ProcessPool,
// run_command) have none.
//
// The peer is trusted no more than its process: a message beyond the limit, or cut by the peer's death, or that is no
// value of the type, is SerialiseError. After the first two the connection is closed. A timeout or a cancellation of
// receive() loses nothing. One that strikes while send() has written a part of a message closes the way out, since
// nothing sensible could follow it.
//
// One receiver and one sender at a time (std::logic_error), each a fiber or a thread. close() may come from anywhere
// and wakes both with SocketClosed. Moving is for ends that nobody uses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <hawser/base/bytes.h>
#include <hawser/base/clock.h>
#include <hawser/process/serialise.h>

namespace hawser {

struct ConnectionOptions {
  // The longest message, either way.
  std::size_t limit = std::size_t{64} << 20;
};

class Connection {
 public:
  // Closed.
  Connection() noexcept;
  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) noexcept;
  // Closes.
  ~Connection();

  // Throws TimedOut, std::length_error beyond the limit (and nothing is sent), SerialiseError, SystemError.
  template <class T>
  void send(const T& value, Timeout timeout = std::nullopt) {
    std::string message = new_message();
    append_bytes(message, value);
    send_message(std::move(message), timeout);
  }
  // Nothing: the peer has gone. Throws TimedOut, SerialiseError, SystemError.
  template <class T>
  [[nodiscard]] std::optional<T> receive(Timeout timeout = std::nullopt) {
    const auto message = receive_message(timeout);
    if (!message) return std::nullopt;
    return std::optional<T>(from_bytes<T>(*message, 4 * limit()));
  }

  // Bytes as they are.
  void send_bytes(BytesView bytes, Timeout timeout = std::nullopt);
  [[nodiscard]] std::optional<Bytes> receive_bytes(Timeout timeout = std::nullopt);

  // Whether receive() would give something, a value or the end, without waiting; waits for that up to the timeout.
  [[nodiscard]] bool poll(Timeout timeout = Duration::zero());

  // Idempotent.
  void close() noexcept;
  [[nodiscard]] bool closed() const noexcept;
  // For a Selector; -1 once closed. Readable does not mean that a whole value has come.
  [[nodiscard]] int fd() const noexcept;

 private:
  friend std::pair<Connection, Connection> connection_pair(ConnectionOptions options);
  struct End;
  explicit Connection(std::unique_ptr<End> end) noexcept;
  [[nodiscard]] static std::string new_message();
  [[nodiscard]] std::size_t limit() const noexcept;
  [[nodiscard]] End& end(const char* operation) const;
  [[nodiscard]] bool gather(End& mine, Expiry expiry);
  void send_message(std::string message, Timeout timeout);
  [[nodiscard]] std::optional<BytesView> receive_message(Timeout timeout);

  std::unique_ptr<End> end_;
};

// Two ends that are connected: what is sent into one is received from the other, both ways. Throws SystemError.
[[nodiscard]] std::pair<Connection, Connection> connection_pair(ConnectionOptions options = {});

}  // namespace hawser
