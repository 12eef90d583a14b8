// DatagramRequest: one datagram as a request: what came, from whom, and how to answer.
//
// A value; it must not outlive its server. reply() and send_to() may be called by any fiber or thread, several at once.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include <hawser/base/bytes.h>
#include <hawser/net/address.h>
#include <hawser/net/datagram.h>
#include <hawser/net/socket.h>
#include <hawser/sync/lock.h>

namespace hawser {

namespace detail {

// The server's socket, seen by those who answer: one sends at a time, and none holds up the others while it waits.
struct DatagramSender {
  Socket socket;
  std::unique_ptr<Lock> sending = std::make_unique<Lock>();
  Timeout patience{};
};

}  // namespace detail

class DatagramRequest {
 public:
  DatagramRequest() = default;
  DatagramRequest(Datagram datagram, detail::DatagramSender& sender) noexcept
      : datagram_(std::move(datagram)), sender_(&sender) {}

  [[nodiscard]] const Bytes& data() const noexcept { return datagram_.data; }
  [[nodiscard]] const Address& client_address() const noexcept { return datagram_.from; }
  // It was longer than DatagramServerOptions::max_packet_bytes, and its rest is gone; length() is what was sent.
  [[nodiscard]] bool truncated() const noexcept { return datagram_.truncated; }
  [[nodiscard]] std::size_t length() const noexcept { return datagram_.length; }

  // Sends one datagram back, also an empty one. Waits while there is no room for it: SocketTimeout when none comes
  // within the server's reply_timeout. Throws as Socket::send_to() does; std::logic_error when the sender has no name
  // to send to (a UNIX socket that was not bound).
  void reply(BytesView data);
  // To somebody else.
  void send_to(BytesView data, const Address& to);

 private:
  Datagram datagram_;
  detail::DatagramSender* sender_ = nullptr;
};

}  // namespace hawser
