#include <hawser/net/ping.h>

#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <stdexcept>

namespace hawser {
namespace {

constexpr std::size_t kHeader = 8;  // type, code, checksum, identity, sequence

Socket open_socket(const Address& to, PingSocket kind) {
  const int protocol = to.is_ipv4() ? int{IPPROTO_ICMP} : int{IPPROTO_ICMPV6};
  if (kind != PingSocket::best) return Socket(to.family(), kind == PingSocket::raw ? SOCK_RAW : SOCK_DGRAM, protocol);
  try {
    return Socket(to.family(), SOCK_DGRAM, protocol);
  } catch (const SystemError& error) {
    if (error.error_number() != EACCES && error.error_number() != EPERM) throw;
  }
  try {
    return Socket(to.family(), SOCK_RAW, protocol);
  } catch (const SystemError& error) {
    throw SystemError(error.error_number(), "ping",
                      to.host() + " (needs CAP_NET_RAW, or a group in net.ipv4.ping_group_range)");
  }
}

std::uint16_t two_bytes(BytesView data, std::size_t at) {
  return static_cast<std::uint16_t>(std::to_integer<unsigned>(data.data()[at]) << 8 |
                                    std::to_integer<unsigned>(data.data()[at + 1]));
}

void put_two_bytes(Bytes& data, std::size_t at, std::uint16_t value) {
  data.data()[at] = static_cast<std::byte>(value >> 8);
  data.data()[at + 1] = static_cast<std::byte>(value & 0xFF);
}

std::uint16_t next_identity() {
  static std::atomic<unsigned> count{0};
  return static_cast<std::uint16_t>(static_cast<unsigned>(::getpid()) + 7919 * count.fetch_add(1));
}

}  // namespace

std::uint16_t detail::internet_checksum(BytesView data) noexcept {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i + 1 < data.size(); i += 2) sum += two_bytes(data, i);
  if (data.size() % 2) sum += std::to_integer<std::uint32_t>(data.data()[data.size() - 1]) << 8;
  while (sum >> 16) sum = (sum & 0xFFFF) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

Ping::Ping(const Address& to, PingSocket kind) : to_(to), identity_(next_identity()) {
  if (!to.is_ip()) throw std::invalid_argument("ping " + to.str() + ": not an IP address");
  to_ = to.with_port(0);
  socket_ = open_socket(to_, kind);
  // Connected, it hears from that host only, and what the network has to say about it.
  socket_.connect(to_);
}

// The kernel fills in the checksum of ICMPv6, and checksum and identity on a datagram socket.
Bytes Ping::request(BytesView data) const {
  Bytes packet = Bytes::uninitialised(kHeader);
  packet.data()[0] = std::byte{to_.is_ipv4() ? std::uint8_t{ICMP_ECHO} : std::uint8_t{ICMP6_ECHO_REQUEST}};
  packet.data()[1] = std::byte{0};
  put_two_bytes(packet, 2, 0);
  put_two_bytes(packet, 4, identity_);
  put_two_bytes(packet, 6, sequence_);
  packet.append(data.span());
  if (to_.is_ipv4()) put_two_bytes(packet, 2, detail::internet_checksum(packet));
  return packet;
}

std::optional<Bytes> Ping::match(const Datagram& packet, BytesView sent) const {
  BytesView echo = packet.data;
  if (to_.is_ipv4() && is_raw()) {  // the IP header comes with it
    if (echo.empty()) return std::nullopt;
    echo = echo.from((std::to_integer<std::size_t>(echo.data()[0]) & 15) * 4);
  }
  if (echo.size() < kHeader) return std::nullopt;
  const auto type = std::to_integer<unsigned>(echo.data()[0]);
  if (type != (to_.is_ipv4() ? unsigned{ICMP_ECHOREPLY} : unsigned{ICMP6_ECHO_REPLY})) return std::nullopt;
  if (is_raw() && two_bytes(echo, 4) != identity_) return std::nullopt;
  if (two_bytes(echo, 6) != sequence_) return std::nullopt;
  // The identity that the kernel gives a datagram socket may be ours as well. What was sent comes back (RFC 792).
  const BytesView data = echo.from(kHeader);
  if (data.text() != sent.text()) return std::nullopt;
  return Bytes(data.span());
}

std::optional<Echo> Ping::ask(Timeout timeout, BytesView data) {
  const Expiry expiry = Expiry::of(timeout);
  ++sequence_;
  const Clock::time_point asked = Clock::now();
  socket_.send_all(request(data));
  for (;;) {
    const Timeout left = expiry.left();
    std::optional<Datagram> packet = socket_.try_recv_from();
    if (!packet) {
      if (left == Duration::zero()) return std::nullopt;
      socket_.set_timeout(left);
      try {
        packet = socket_.recv_from();
      } catch (const SocketTimeout&) {
        return std::nullopt;
      }
    }
    if (std::optional<Bytes> echoed = match(*packet, data)) {
      return Echo{.from = packet->from.with_port(0),
                  .time = Clock::now() - asked,
                  .data = std::move(*echoed),
                  .sequence = sequence_};
    }
  }
}

}  // namespace hawser
