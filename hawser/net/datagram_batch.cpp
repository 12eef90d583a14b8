// Many datagrams a system call: recvmmsg(2) and sendmmsg(2).
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include <hawser/base/system_calls.h>
#include <hawser/net/datagram.h>
#include <hawser/net/socket.h>
#include <hawser/net/socket_core.h>

namespace hawser {

struct DatagramBatch::Room {
  Room(std::size_t most, std::size_t its_limit)
      : limit(its_limit), memory(Bytes::uninitialised(most * its_limit)), names(most), parts(most), messages(most) {
    for (std::size_t i = 0; i < most; ++i) {
      parts[i] = {.iov_base = memory.data() + i * limit, .iov_len = limit};
      msghdr& header = messages[i].msg_hdr;
      header = {};
      header.msg_name = &names[i];
      header.msg_iov = &parts[i];
      header.msg_iovlen = 1;
    }
  }

  // The kernel writes over these.
  void clear() {
    for (mmsghdr& message : messages) message.msg_hdr.msg_namelen = sizeof names[0];
  }

  [[nodiscard]] DatagramView view(std::size_t i) const {
    const mmsghdr& message = messages[i];
    const auto* name = reinterpret_cast<const sockaddr*>(&names[i]);
    const bool known = message.msg_hdr.msg_namelen >= sizeof name->sa_family &&
                       (name->sa_family == AF_INET || name->sa_family == AF_INET6 || name->sa_family == AF_UNIX);
    return {.data = memory.span().subspan(i * limit, std::min<std::size_t>(message.msg_len, limit)),
            .from = known ? Address::from(name, message.msg_hdr.msg_namelen) : Address(),
            .length = message.msg_len,
            .truncated = (message.msg_hdr.msg_flags & MSG_TRUNC) != 0};
  }

  std::size_t limit;
  Bytes memory;
  std::vector<sockaddr_storage> names;
  std::vector<iovec> parts;
  std::vector<mmsghdr> messages;
};

DatagramBatch::DatagramBatch(std::size_t most, std::size_t limit) {
  if (most == 0 || limit == 0) throw std::invalid_argument("a DatagramBatch needs room for at least one byte");
  room_ = std::make_unique<Room>(most, limit);
  views_.reserve(most);
}

DatagramBatch::DatagramBatch(DatagramBatch&&) noexcept = default;
DatagramBatch& DatagramBatch::operator=(DatagramBatch&&) noexcept = default;
DatagramBatch::~DatagramBatch() = default;

std::size_t Socket::receive_many(DatagramBatch& batch) {
  Operation operation(core("recv_from"), Direction::read, "recv_from");
  DatagramBatch::Room& room = *batch.room_;
  batch.views_.clear();
  const int flags = operation.core().keeps_boundaries() ? MSG_TRUNC : 0;
  const std::size_t count = operation.run(
      [&]() -> ssize_t {
        room.clear();
        return detail::sys::recvmmsg(operation.fd(), room.messages.data(), static_cast<unsigned>(room.messages.size()),
                                     flags, nullptr);
      },
      0);
  for (std::size_t i = 0; i < count; ++i) batch.views_.push_back(room.view(i));
  return count;
}

std::size_t Socket::send_many(std::span<const OutgoingDatagram> datagrams) {
  constexpr std::size_t kMany = 64;
  static_cast<void>(core("send_to"));
  std::size_t sent = 0;
  while (sent < datagrams.size()) {
    const std::span<const OutgoingDatagram> rest =
        datagrams.subspan(sent).first(std::min(kMany, datagrams.size() - sent));
    std::array<iovec, kMany> parts;
    std::array<mmsghdr, kMany> messages;
    for (std::size_t i = 0; i < rest.size(); ++i) {
      // Neither is const-correct; sendmmsg(2) only reads.
      parts[i] = {.iov_base = const_cast<std::byte*>(rest[i].data.data()), .iov_len = rest[i].data.size()};
      msghdr& header = messages[i].msg_hdr;
      header = {};
      if (rest[i].to.family() != AF_UNSPEC) {
        header.msg_name = const_cast<sockaddr*>(rest[i].to.data());
        header.msg_namelen = rest[i].to.size();
      }
      header.msg_iov = &parts[i];
      header.msg_iovlen = 1;
    }
    int count = 0;
    {
      // A cancellation point, which also lets others run now and then: sending alone hardly ever waits.
      Operation operation(*core_, Direction::write, "send_to");
      count = detail::sys::sendmmsg(operation.fd(), messages.data(), static_cast<unsigned>(rest.size()), MSG_NOSIGNAL);
    }
    if (count > 0) {
      sent += static_cast<std::size_t>(count);
      continue;
    }
    // The first of the rest can't go now, or not at all. Alone it waits, or says why.
    try {
      const Address& to = rest.front().to;
      send_datagram({&rest.front().data, 1}, to.family() == AF_UNSPEC ? nullptr : &to, "send_to");
      ++sent;
    } catch (const SystemError&) {
      if (sent == 0) throw;
      return sent;
    } catch (const SocketTimeout&) {
      if (sent == 0) throw;
      return sent;
    }
  }
  return sent;
}

}  // namespace hawser
