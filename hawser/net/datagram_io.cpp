// Receiving and sending one datagram.
#include <sys/uio.h>

#include <algorithm>
#include <array>

#include <hawser/base/system_calls.h>
#include <hawser/net/datagram.h>
#include <hawser/net/datagram_limit.h>
#include <hawser/net/socket.h>
#include <hawser/net/socket_core.h>

namespace hawser {
namespace {

// A thread's scratch, for any UDP datagram: what waits to receive holds no memory.
constexpr std::size_t kScratch = 64 * 1024;
thread_local std::array<std::byte, kScratch> t_scratch;

constexpr std::size_t kPartsGathered = 16;

// Who sent it; nobody when the family has no text form (CAN) or the sender no name.
Address sender(const sockaddr_storage& name, socklen_t size) {
  const auto* raw = reinterpret_cast<const sockaddr*>(&name);
  if (size < sizeof raw->sa_family) return {};
  const int family = raw->sa_family;
  return family == AF_INET || family == AF_INET6 || family == AF_UNIX ? Address::from(raw, size) : Address();
}

// One attempt after the other, until something has come.
struct Arrival {
  explicit Arrival(bool keeps_boundaries) noexcept : flags(keeps_boundaries ? MSG_TRUNC : 0) {}

  ssize_t receive(int fd, void* into, std::size_t size) noexcept {
    name_size = sizeof name;
    // With MSG_TRUNC the result is the length as sent (recv(2)); on TCP the flag would throw the bytes away.
    const ssize_t length = detail::sys::recvfrom(fd, into, size, flags, reinterpret_cast<sockaddr*>(&name), &name_size);
    if (length < 0) name_size = 0;
    truncated = length > 0 && static_cast<std::size_t>(length) > size;
    return length;
  }
  [[nodiscard]] Address from() const { return sender(name, name_size); }

  const int flags;
  sockaddr_storage name;
  socklen_t name_size = 0;
  bool truncated = false;
};

std::size_t total(std::span<const BytesView> parts) {
  std::size_t sum = 0;
  for (const BytesView& part : parts) sum += part.size();
  return sum;
}

}  // namespace

Datagram Socket::recv_from(std::size_t limit) {
  Operation operation(core("recv_from"), Direction::read, "recv_from");
  Datagram datagram;
  Arrival arrival(operation.core().keeps_boundaries());
  const auto attempt = [&]() -> ssize_t {
    // Nothing else runs on this thread between the call and the copy.
    Bytes large = limit > kScratch ? Bytes::uninitialised(limit) : Bytes();
    std::byte* const into = limit > kScratch ? large.data() : t_scratch.data();
    const ssize_t length = arrival.receive(operation.fd(), into, limit);
    if (length < 0) return length;
    const std::size_t kept = std::min(static_cast<std::size_t>(length), limit);
    if (kept > kScratch && kept > limit / 2) {
      large.truncate(kept);
      datagram.data = std::move(large);
    } else {
      datagram.data = Bytes(std::span<const std::byte>(into, kept));
    }
    return length;
  };
  datagram.length = operation.run(attempt, 0);
  datagram.truncated = arrival.truncated;
  datagram.from = arrival.from();
  return datagram;
}

ReceivedDatagram Socket::recv_from_into(std::span<std::byte> into) {
  Operation operation(core("recv_from"), Direction::read, "recv_from");
  Arrival arrival(operation.core().keeps_boundaries());
  const std::size_t length =
      operation.run([&] { return arrival.receive(operation.fd(), into.data(), into.size()); }, 0);
  return {
      .size = std::min(length, into.size()), .from = arrival.from(), .length = length, .truncated = arrival.truncated};
}

std::optional<Datagram> Socket::try_recv_from(std::size_t limit) {
  Operation operation(core("recv_from"), Direction::read, "recv_from");
  Arrival arrival(operation.core().keeps_boundaries());
  Bytes large = limit > kScratch ? Bytes::uninitialised(limit) : Bytes();
  std::byte* const into = limit > kScratch ? large.data() : t_scratch.data();
  for (;;) {
    const ssize_t length = arrival.receive(operation.fd(), into, limit);
    if (length >= 0) {
      const auto sent = static_cast<std::size_t>(length);
      return Datagram{.data = Bytes(std::span<const std::byte>(into, std::min(sent, limit))),
                      .from = arrival.from(),
                      .length = sent,
                      .truncated = arrival.truncated};
    }
    if (errno == EAGAIN) {
      operation.drained();
      return std::nullopt;
    }
    if (errno != EINTR) operation.fail(errno, 0);
  }
}

std::size_t Socket::send_to(BytesView data, const Address& to) {
  static_cast<void>(core("send_to"));
  return send_datagram({&data, 1}, &to, "send_to");
}

bool Socket::try_send_to(BytesView data, const Address& to) {
  Operation operation(core("send_to"), Direction::write, "send_to");
  for (;;) {
    if (detail::sys::sendto(operation.fd(), data.data(), data.size(), MSG_NOSIGNAL | MSG_DONTWAIT, to.data(),
                            to.size()) >= 0) {
      return true;
    }
    if (errno == EAGAIN) return false;
    if (errno == EINTR) continue;
    const int error = errno;
    throw SystemError(error, "send_to",
                      to.str() + (error == EMSGSIZE ? detail::datagram_limit(*this, data.size(), &to) : ""));
  }
}

std::size_t Socket::send_datagram(std::span<const BytesView> parts, const Address* to, const char* name) {
  Operation operation(*core_, Direction::write, name);
  const std::size_t size = total(parts);
  std::string joined;
  std::array<iovec, kPartsGathered> vector;
  msghdr message{};
  if (to) {
    message.msg_name = const_cast<sockaddr*>(to->data());
    message.msg_namelen = to->size();
  }
  message.msg_iov = vector.data();
  if (parts.size() <= vector.size()) {
    for (const BytesView& part : parts) {
      // iovec is not const-correct; sendmsg(2) only reads.
      vector[message.msg_iovlen++] = {.iov_base = const_cast<std::byte*>(part.data()), .iov_len = part.size()};
    }
  } else {
    joined.reserve(size);
    for (const BytesView& part : parts) joined += part.text();
    vector[message.msg_iovlen++] = {.iov_base = joined.data(), .iov_len = joined.size()};
  }
  // sendto(2) where it will do: the kernel has less to read.
  const auto send = [&] {
    return message.msg_iovlen == 1
               ? detail::sys::sendto(operation.fd(), vector[0].iov_base, vector[0].iov_len, MSG_NOSIGNAL,
                                     static_cast<const sockaddr*>(message.msg_name), message.msg_namelen)
               : detail::sys::sendmsg(operation.fd(), &message, MSG_NOSIGNAL);
  };
  const auto attempt = [&]() -> ssize_t {
    for (;;) {
      const ssize_t sent = send();
      if (sent >= 0 || errno == EINTR) return sent;
      if (errno == EAGAIN) {
        if (!to || family() != AF_UNIX) return sent;
        // The receiver's queue is full, and a UNIX socket that is not connected to it does not say when that changes.
        operation.rest_longer("the receiver's queue is full");
        continue;
      }
      const int error = errno;
      const std::string object = to ? to->str() : core_->name;
      throw SystemError(error, name, object + (error == EMSGSIZE ? detail::datagram_limit(*this, size, to) : ""));
    }
  };
  return operation.run(attempt, size);
}

}  // namespace hawser
