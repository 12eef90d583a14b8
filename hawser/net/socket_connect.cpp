// Naming and connecting sockets, and accepting from them.
#include <algorithm>

#include <hawser/base/system_calls.h>
#include <hawser/fiber/run.h>
#include <hawser/net/socket.h>
#include <hawser/net/socket_core.h>

namespace hawser {
namespace {

int pending_error(int fd) {
  int error = 0;
  socklen_t size = sizeof error;
  return detail::sys::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 ? errno : error;
}

// What a datagram socket is called that is connected to nobody: where it is reached.
std::string name_when_bound(int fd) {
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  const auto* raw = reinterpret_cast<const sockaddr*>(&name);
  if (detail::sys::getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size) < 0 || raw->sa_family == AF_CAN) {
    return "socket " + std::to_string(fd);
  }
  return Address::from(raw, size).str();
}

}  // namespace

void Socket::bind(const Address& address) {
  const Live fd = live("bind");
  if (detail::sys::bind(fd, address.data(), address.size()) < 0) throw_errno("bind", address.str());
  core_->pollable.bound();
  if (core_->keeps_boundaries()) core_->name = name_when_bound(fd);
}

void Socket::listen(int backlog) {
  const Live fd = live("listen");
  if (detail::sys::listen(fd, backlog) < 0) throw_errno("listen", Address::of_socket(fd).str());
  core_->pollable.bound();
  core_->name = Address::of_socket(fd).str();
}

void Socket::connect(const Address& address) {
  Core& it = core("connect");
  const std::string before = std::exchange(it.name, address.str());
  try {
    Operation operation(it, Direction::write, "connect");
    const int error = start_connecting(operation, address);
    if (error != EINPROGRESS) {
      if (error) throw SystemError(error, "connect", it.name);
      it.was_connected = address.family() != AF_UNSPEC;  // connecting to that undoes it (connect(2))
      return;
    }
    for (;;) {
      // Readiness seen before the attempt says nothing about it.
      operation.drained();
      operation.wait();
      if (const int failed = pending_error(operation.fd())) throw SystemError(failed, "connect", it.name);
      // Asked again, connect(2) tells how it stands.
      if (detail::sys::connect(operation.fd(), address.data(), address.size()) == 0 || errno == EISCONN) {
        it.was_connected = true;
        return;
      }
      if (errno != EALREADY && errno != EINPROGRESS && errno != EINTR) throw SystemError(errno, "connect", it.name);
    }
  } catch (...) {
    it.name = before;
    throw;
  }
}

// 0 when it is connected, EINPROGRESS when the answer is to come, or what went wrong.
int Socket::start_connecting(Operation& operation, const Address& address) {
  Duration pause = std::chrono::milliseconds(1);
  for (;;) {
    if (detail::sys::connect(operation.fd(), address.data(), address.size()) == 0) return 0;
    if (errno == EINTR || errno == EALREADY) return EINPROGRESS;
    if (errno != EAGAIN || operation.core().family != AF_UNIX) return errno;
    // The peer's backlog is full, and a UNIX socket does not say when that changes.
    operation.rest(pause, "the backlog is full");
    pause = std::min<Duration>(pause * 2, std::chrono::milliseconds(50));
  }
}

int Socket::connect_ex(const Address& address) {
  try {
    connect(address);
    return 0;
  } catch (const SocketTimeout&) {
    return EAGAIN;
  } catch (const WouldBlock&) {
    return family() == AF_UNIX ? EAGAIN : EINPROGRESS;  // a full backlog begins nothing (connect(2))
  } catch (const SystemError& error) {
    return error.error_number();
  }
}

Socket Socket::accept() {
  Operation operation(core("accept"), Direction::read, "accept");
  return accept_one(operation);
}

Socket Socket::accept(Expiry expiry) {
  Operation operation(core("accept"), Direction::read, "accept");
  operation.set_budget(expiry);
  return accept_one(operation);
}

Socket Socket::accept_one(Operation& operation) const {
  sockaddr_storage peer{};
  socklen_t size = 0;
  const std::size_t fd = operation.run(
      [&] {
        size = sizeof peer;
        return static_cast<ssize_t>(detail::sys::accept4(operation.fd(), reinterpret_cast<sockaddr*>(&peer), &size,
                                                         SOCK_CLOEXEC | SOCK_NONBLOCK));
      },
      0);
  UniqueFd owned(static_cast<int>(fd));
  const Address address = Address::from(reinterpret_cast<const sockaddr*>(&peer), size);
  return accepted(owned.release(), address, *this);
}

}  // namespace hawser
