// Receiving and sending: one attempt, and only when that says EAGAIN a wait.
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <new>

#include <hawser/base/system_calls.h>
#include <hawser/net/datagram_limit.h>
#include <hawser/net/datagram_whole.h>
#include <hawser/net/socket.h>
#include <hawser/net/socket_core.h>

namespace hawser {
namespace {

// A thread's scratch: what waits to receive holds no memory, and what is kept is as large as what came.
constexpr std::size_t kScratch = 64 * 1024;
thread_local std::array<std::byte, kScratch> t_scratch;

constexpr std::size_t kPartsACall = 32;

std::size_t total(std::span<const iovec> parts) {
  std::size_t sum = 0;
  for (const iovec& part : parts) sum += part.iov_len;
  return sum;
}

}  // namespace

Bytes Socket::recv(std::size_t limit) {
  Core& it = core("recv");
  if (limit == 0) return {};
  if (it.keeps_boundaries()) return detail::whole(recv_from(limit), it.name);
  Operation operation(it, Direction::read, "recv");
  if (limit <= kScratch) {
    Bytes data;
    bool out_of_memory = false;
    operation.receive(
        [&, fd = operation.fd()]() noexcept {
          // Nothing else runs on this thread between the call and the copy.
          std::byte* const scratch = t_scratch.data();
          const ssize_t got = detail::sys::recv(fd, scratch, limit, 0);
          if (got > 0) {
            try {
              data = Bytes(std::span<const std::byte>(scratch, static_cast<std::size_t>(got)));
            } catch (const std::bad_alloc&) {
              out_of_memory = true;
            }
          }
          return got;
        },
        limit);
    if (out_of_memory) throw std::bad_alloc();
    return data;
  }
  Bytes data;
  const std::size_t count = operation.run(
      [&] {
        data = Bytes::uninitialised(limit);
        const ssize_t got = detail::sys::recv(operation.fd(), data.data(), limit, 0);
        if (got <= 0) {
          const int saved = errno;
          data = {};
          errno = saved;
        }
        return got;
      },
      limit);
  if (count == 0) return {};
  if (count <= limit / 2) return Bytes(std::span<const std::byte>(data.data(), count));
  data.truncate(count);
  return data;
}

std::size_t Socket::recv_into(std::span<std::byte> into) {
  Core& it = core("recv");
  if (into.empty()) return 0;
  if (it.keeps_boundaries()) return detail::whole(recv_from_into(into), it.name);
  Operation operation(it, Direction::read, "recv");
  return operation.receive(
      [into, fd = operation.fd()]() noexcept { return detail::sys::recv(fd, into.data(), into.size(), 0); },
      into.size());
}

std::size_t Socket::read_late(LateBuffer& into) {
  Core& it = core("recv");
  if (it.keeps_boundaries()) return Stream::read_late(into);
  Operation operation(it, Direction::read, "recv");
  bool out_of_memory = false;
  const std::size_t size = into.size();
  const std::size_t count = operation.receive(
      [&, size, fd = operation.fd()]() noexcept -> ssize_t {
        std::byte* const room = into.take();
        if (!room) {
          out_of_memory = true;
          return 0;
        }
        const ssize_t got = detail::sys::recv(fd, room, size, 0);
        if (got <= 0) {
          const int saved = errno;
          into.give_back();
          errno = saved;
        }
        return got;
      },
      size);
  if (out_of_memory) throw std::bad_alloc();
  return count;
}

std::optional<Bytes> Socket::try_recv(std::size_t limit) {
  Core& it = core("recv");
  if (limit == 0) return Bytes();
  if (it.keeps_boundaries()) {
    std::optional<Datagram> datagram = try_recv_from(limit);
    if (!datagram) return std::nullopt;
    return detail::whole(std::move(*datagram), it.name);
  }
  Operation operation(it, Direction::read, "recv");
  for (;;) {
    std::byte* const scratch = t_scratch.data();
    const ssize_t count = detail::sys::recv(operation.fd(), scratch, std::min(limit, kScratch), 0);
    if (count >= 0) return Bytes(std::span<const std::byte>(scratch, static_cast<std::size_t>(count)));
    if (errno == EAGAIN) {
      operation.drained();
      return std::nullopt;
    }
    if (errno != EINTR) operation.fail(errno, 0);
  }
}

std::size_t Socket::send(BytesView data) {
  if (core("send").keeps_boundaries()) return send_datagram({&data, 1}, nullptr, "send");
  Operation operation(*core_, Direction::write, "send");
  if (data.empty()) return 0;
  return operation.run([&] { return detail::sys::send(operation.fd(), data.data(), data.size(), MSG_NOSIGNAL); },
                       data.size());
}

std::optional<std::size_t> Socket::try_send(BytesView data) {
  Operation operation(core("send"), Direction::write, "send");
  if (data.empty() && !operation.core().keeps_boundaries()) return 0;
  for (;;) {
    const ssize_t count = detail::sys::send(operation.fd(), data.data(), data.size(), MSG_NOSIGNAL);
    if (count >= 0) return static_cast<std::size_t>(count);
    const int error = errno;
    if (error == EAGAIN) {
      operation.drained();
      return std::nullopt;
    }
    if (error == EMSGSIZE && operation.core().keeps_boundaries()) {
      throw SystemError(error, "send", operation.core().name + detail::datagram_limit(*this, data.size(), nullptr));
    }
    if (error != EINTR) operation.fail(error, 0);
  }
}

void Socket::send_all(BytesView data) {
  if (core("send").keeps_boundaries()) return static_cast<void>(send_datagram({&data, 1}, nullptr, "send"));
  Operation operation(*core_, Direction::write, "send");
  for (std::size_t sent = 0; sent < data.size();) {
    const BytesView rest = data.from(sent);
    sent += operation.run([&] { return detail::sys::send(operation.fd(), rest.data(), rest.size(), MSG_NOSIGNAL); },
                          rest.size(), sent);
  }
}

void Socket::send_all(std::span<const BytesView> parts) {
  if (core("send").keeps_boundaries()) return static_cast<void>(send_datagram(parts, nullptr, "send"));
  Operation operation(*core_, Direction::write, "send");
  std::uint64_t sent = 0;
  std::size_t skip = 0;  // of the first part: gone already
  while (!parts.empty()) {
    std::array<iovec, kPartsACall> vector;
    std::size_t used = 0;
    for (std::size_t i = 0; i < parts.size() && used < vector.size(); ++i) {
      const BytesView part = i == 0 ? parts[0].from(skip) : parts[i];
      if (part.empty()) continue;
      // iovec is not const-correct; sendmsg(2) only reads.
      vector[used++] = {.iov_base = const_cast<std::byte*>(part.data()), .iov_len = part.size()};
    }
    std::size_t moved = 0;
    if (used) {
      msghdr message{};
      message.msg_iov = vector.data();
      message.msg_iovlen = used;
      moved = operation.run([&] { return detail::sys::sendmsg(operation.fd(), &message, MSG_NOSIGNAL); },
                            total({vector.data(), used}), sent);
      sent += moved;
    }
    moved += skip;
    while (!parts.empty() && moved >= parts.front().size()) {
      moved -= parts.front().size();
      parts = parts.subspan(1);
    }
    skip = moved;
  }
}

}  // namespace hawser
