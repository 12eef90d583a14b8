// Ping: asks a host for an echo by ICMP.
//
//   Ping ping(Address::ip("127.0.0.1", 0));
//   if (auto echo = ping.ask(1s)) log("{} after {}", echo->from.host(), echo->time);
//
// A raw socket needs CAP_NET_RAW; the ICMP datagram socket is for everybody in the group range of
// net.ipv4.ping_group_range. Without either the constructor throws SystemError, whose message says both. ask() waits
// for the echo, the timeout, a Deadline or a cancellation. One caller at a time. Sources: RFC 792, RFC 4443 section 4,
// icmp(7), raw(7).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <hawser/base/bytes.h>
#include <hawser/base/clock.h>
#include <hawser/net/address.h>
#include <hawser/net/socket.h>

namespace hawser {

enum class PingSocket : std::uint8_t { best, raw, datagram };

struct Echo {
  Address from;
  Duration time;  // from asking to hearing
  Bytes data;     // as it came back
  int sequence;   // of the question it answers
};

class Ping {
 public:
  // Throws SystemError; std::invalid_argument when the address is not IP.
  explicit Ping(const Address& to, PingSocket kind = PingSocket::best);

  // Sends one request and waits for its echo; nothing when none came in time. Late echoes of earlier requests are
  // passed over. Throws SystemError when the network says that the host can't be reached.
  [[nodiscard]] std::optional<Echo> ask(Timeout timeout, BytesView data = "hawser");

  [[nodiscard]] const Address& to() const noexcept { return to_; }
  // A raw socket, not a datagram one.
  [[nodiscard]] bool is_raw() const noexcept { return socket_.type() == SOCK_RAW; }
  [[nodiscard]] Socket& socket() noexcept { return socket_; }

 private:
  [[nodiscard]] Bytes request(BytesView data) const;
  // The echo in a packet, if it answers the last request.
  [[nodiscard]] std::optional<Bytes> match(const Datagram& packet, BytesView sent) const;

  Address to_;
  Socket socket_;
  std::uint16_t identity_;
  std::uint16_t sequence_ = 0;
};

namespace detail {
// The checksum of RFC 1071.
[[nodiscard]] std::uint16_t internet_checksum(BytesView data) noexcept;
}  // namespace detail

}  // namespace hawser
