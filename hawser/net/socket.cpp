#include <hawser/net/socket.h>

#include <hawser/base/system_calls.h>
#include <hawser/net/socket_core.h>
#include <hawser/net/tcp_past.h>

namespace hawser {
namespace {

int int_option(int fd, int number) {
  int value = 0;
  socklen_t size = sizeof value;
  if (detail::sys::getsockopt(fd, SOL_SOCKET, number, &value, &size) < 0) throw_errno("socket", std::to_string(fd));
  return value;
}

std::string number_name(int fd) { return "socket " + std::to_string(fd); }

std::string name_of(int fd) {
  try {
    return Address::of_peer(fd).str();
  } catch (const std::exception&) {  // it leads nowhere yet, or its family has no text form
    return number_name(fd);
  }
}

std::string family_name(int family) {
  switch (family) {
    case AF_INET:
      return "AF_INET";
    case AF_INET6:
      return "AF_INET6";
    case AF_UNIX:
      return "AF_UNIX";
    case AF_CAN:
      return "AF_CAN";
    case AF_RDS:
      return "AF_RDS";
    case AF_PACKET:
      return "AF_PACKET";
    default:
      return "family " + std::to_string(family);
  }
}

std::string type_name(int type) {
  switch (type) {
    case SOCK_STREAM:
      return "SOCK_STREAM";
    case SOCK_DGRAM:
      return "SOCK_DGRAM";
    case SOCK_RAW:
      return "SOCK_RAW";
    case SOCK_SEQPACKET:
      return "SOCK_SEQPACKET";
    default:
      return "type " + std::to_string(type);
  }
}

// What may stand beside a type and is none of it (socket(2)).
constexpr int kTypeFlags = SOCK_CLOEXEC | SOCK_NONBLOCK;

UniqueFd new_socket(int family, int type, int protocol) {
  UniqueFd fd(detail::sys::socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol));
  if (fd) return fd;
  const int error = errno;
  std::string what = family_name(family) + " " + type_name(type);
  if (protocol) what += " protocol " + std::to_string(protocol);
  if (error == EAFNOSUPPORT || error == ESOCKTNOSUPPORT || error == EPROTONOSUPPORT) what += " (not in this kernel)";
  throw SystemError(error, "socket", what);
}

}  // namespace

Socket::Socket() noexcept = default;
Socket::Socket(std::unique_ptr<Core> core) noexcept : core_(std::move(core)) {}
Socket::Socket(Socket&& other) noexcept = default;
Socket::~Socket() = default;

Socket& Socket::operator=(Socket&& other) noexcept = default;

Socket::Socket(UniqueFd fd) {
  const int number = fd.get();
  const int family = int_option(number, SO_DOMAIN);
  const int type = int_option(number, SO_TYPE);
  const int protocol = int_option(number, SO_PROTOCOL);
  set_nonblocking(number, true);
  core_ = std::make_unique<Core>(std::move(fd), family, type, protocol, name_of(number));
  if (core_->name != number_name(number)) core_->was_connected = true;
  if (int_option(number, SO_ACCEPTCONN)) core_->pollable.bound();
  if (type == SOCK_STREAM) lingers(get(option::linger));
}

Socket::Socket(int family, int type, int protocol) {
  const int bare_type = type & ~kTypeFlags;
  UniqueFd fd = new_socket(family, bare_type, protocol);
  const int number = fd.get();
  const int real_protocol = protocol ? protocol : int_option(number, SO_PROTOCOL);
  core_ = std::make_unique<Core>(std::move(fd), family, bare_type, real_protocol, number_name(number));
  if (type & SOCK_NONBLOCK) set_blocking(false);
}

Socket Socket::accepted(int fd, const Address& peer, const Socket& by) {
  const Core& listener = *by.core_;
  Socket made(std::make_unique<Core>(UniqueFd(fd), listener.family, listener.type, listener.protocol, peer.str()));
  made.core_->was_connected.store(true, std::memory_order_relaxed);
  if (listener.pollable.closes_slowly()) made.core_->pollable.close_slowly(true);  // inherited, as the option is
  return made;
}

void Socket::lingers(const option::Linger& how) noexcept {
  core_->pollable.close_slowly(how.on && how.wait > std::chrono::seconds::zero());
}

Socket::Core& Socket::core(const char* operation) const {
  if (!core_) throw SocketClosed(operation, "socket");
  return *core_;
}

Socket::Live::Live(Core& core, const char* operation) : core_(core), fd_(core.pollable.pin(operation, core.name)) {}

Socket::Live::~Live() { core_.pollable.unpin(); }

void Socket::set_timeout(Timeout timeout) { Core::set(core("set_timeout").timeout, timeout); }
Timeout Socket::timeout() const noexcept { return core_ ? Core::get(core_->timeout) : Timeout(); }
void Socket::set_least_pace(std::optional<LeastPace> pace) {
  core("set_least_pace").pace = pace ? std::make_unique<detail::PaceMeter>(*pace) : nullptr;
}

void Socket::set_idle_timeout(Timeout timeout) { Core::set(core("set_idle_timeout").idle_timeout, timeout); }
Timeout Socket::idle_timeout() const noexcept { return core_ ? Core::get(core_->idle_timeout) : Timeout(); }
void Socket::set_blocking(bool on) { set_timeout(on ? Timeout() : Timeout(Duration::zero())); }

void Socket::join_group(const Address& group, const std::string& interface) {
  set(option::join_group.of(group.family()), GroupOn{.group = group, .interface = interface});
  set(option::multicast_all.of(group.family()), false);
}
void Socket::leave_group(const Address& group, const std::string& interface) {
  set(option::leave_group.of(group.family()), GroupOn{.group = group, .interface = interface});
}

void Socket::set_keep_alive(const KeepAlive& settings) {
  set(option::keep_alive_idle, settings.idle);
  set(option::keep_alive_interval, settings.interval);
  set(option::keep_alive_count, settings.count);
  set(option::keep_alive, true);
}

int Socket::take_error() { return int_option(live("take_error"), SO_ERROR); }

int Socket::family() const noexcept { return core_ ? core_->family : AF_UNSPEC; }
int Socket::type() const noexcept { return core_ ? core_->type : 0; }
int Socket::protocol() const noexcept { return core_ ? core_->protocol : 0; }
Address Socket::peer_name() const { return Address::of_peer(live("getpeername")); }
Address Socket::sock_name() const { return Address::of_socket(live("getsockname")); }
std::string Socket::peer() const { return core_ ? core_->name : "socket"; }
int Socket::fileno() const noexcept { return core_ && !core_->pollable.closed() ? core_->pollable.fd() : -1; }
bool Socket::closed() const noexcept { return !core_ || core_->pollable.closed(); }

void Socket::shutdown(Shutdown how) {
  const Live fd = live("shutdown");
  // Also where the call says ENOTCONN: the kernel has done it all the same.
  if (core_->keeps_boundaries() && how != Shutdown::write) core_->receives_no_more.store(true);
  if (detail::sys::shutdown(fd, how == Shutdown::read ? SHUT_RD : how == Shutdown::write ? SHUT_WR : SHUT_RDWR) == 0)
    return;
  const int error = errno;
  // The connection has ended both ways by itself: there is nothing left to shut.
  if (error == ENOTCONN && (core_->was_connected || detail::tcp_was_connected(fd))) return;
  throw SystemError(error, "shutdown", core_->name);
}

void Socket::close() noexcept {
  if (core_) core_->pollable.close();
}

UniqueFd Socket::detach() noexcept { return core_ ? core_->pollable.detach() : UniqueFd(); }

std::pair<Socket, Socket> socketpair(int type) {
  int fds[2];
  if (detail::sys::socketpair(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0) throw_errno("socketpair", "");
  UniqueFd first(fds[0]), second(fds[1]);
  Socket a(std::move(first)), b(std::move(second));
  for (Socket* const each : {&a, &b}) each->set_blocking(!(type & SOCK_NONBLOCK));
  return {std::move(a), std::move(b)};
}

}  // namespace hawser
