#include <hawser/net/listener.h>

#include <algorithm>
#include <exception>
#include <stdexcept>
#include <utility>

#include <hawser/base/log.h>
#include <hawser/fiber/run.h>
#include <hawser/net/resolver.h>
#include <hawser/net/socket_core.h>
#include <hawser/net/unix_path.h>

namespace hawser {
namespace {

constexpr Duration kFirstPause = std::chrono::milliseconds(5);
constexpr Duration kLongestPause = std::chrono::seconds(1);

bool means_exhausted(int error) { return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM; }

// Errors of a connection that was waiting, and not of the listener (accept(2)).
bool means_lost_connection(int error) {
  switch (error) {
    case ECONNABORTED:
    case ENETDOWN:
    case EPROTO:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EPERM:
    case ETIMEDOUT:
      return true;
    default:
      return false;
  }
}

}  // namespace

Listener::Listener(const Endpoint& endpoint, const ListenerOptions& options) {
  open(endpoint, options, options.backlog);
}

Listener::Listener(Socket listening) : socket_(std::move(listening)), address_(socket_.sock_name()) {
  if (socket_.type() != SOCK_STREAM || !socket_.get(option::accept_conn)) {
    throw std::invalid_argument("a Listener needs a socket that listens");
  }
}

Listener Listener::bound(const Endpoint& endpoint, const ListenerOptions& options) {
  Listener made;
  made.open(endpoint, options, std::nullopt);
  return made;
}

void Listener::listen(int backlog) { socket_.listen(backlog); }

void Listener::open(const Endpoint& endpoint, const ListenerOptions& options, std::optional<int> backlog) {
  std::exception_ptr first;
  for (const Address& address : resolve(endpoint, {.family = options.family})) {
    try {
      open(address, options, backlog);
      return;
    } catch (const SystemError&) {
      if (!first) first = std::current_exception();
    }
  }
  std::rethrow_exception(first);
}

Listener::Listener(Listener&& other) noexcept
    : socket_(std::move(other.socket_)),
      address_(other.address_),
      path_(std::move(other.path_)),
      pause_(other.pause_) {}

Listener& Listener::operator=(Listener&& other) noexcept {
  if (this == &other) return *this;
  close();
  socket_ = std::move(other.socket_);
  address_ = other.address_;
  path_ = std::move(other.path_);
  pause_ = other.pause_;
  return *this;
}

Listener::~Listener() { close(); }

void Listener::open(const Address& address, const ListenerOptions& options, std::optional<int> backlog) {
  Socket socket(address.family());
  if (address.is_ip()) {
    if (options.reuse_address) socket.set(option::reuse_address, true);
    if (options.reuse_port) socket.set(option::reuse_port, true);
    if (address.is_ipv6()) socket.set(option::ipv6_only, !options.dual_stack);
    // What is accepted inherits it, which saves a system call for each.
    if (options.no_delay) socket.set_no_delay(true);
    socket.bind(address);
    if (backlog) socket.listen(*backlog);
    address_ = socket.sock_name();
  } else {
    path_ = backlog ? detail::UnixPath::listen(socket, address, options.unix_mode, *backlog)
                    : detail::UnixPath::bind(socket, address, options.unix_mode);
    address_ = address;
  }
  socket_ = std::move(socket);
}

Socket Listener::accept(Timeout timeout) {
  const Expiry expiry = Expiry::of(timeout);
  for (;;) {
    try {
      Socket accepted = socket_.accept(expiry);
      pause_ = Duration::zero();
      return accepted;
    } catch (const SocketClosed&) {
      throw;
    } catch (const SystemError& error) {
      if (means_exhausted(error.error_number())) {
        if (pause_ == Duration::zero()) log_line(LogLevel::warning, std::string(error.what()) + "; waiting for some");
      } else if (!means_lost_connection(error.error_number())) {
        throw;
      } else {
        continue;
      }
    }
    pause_ = std::clamp(pause_ * 2, kFirstPause, kLongestPause);
    rest(pause_, expiry);
  }
}

// A listening socket is never writable, so waiting for that is a sleep that close() ends.
void Listener::rest(Duration length, Expiry expiry) {
  const Expiry end = std::min(Expiry::in(length), expiry);
  Socket::Operation operation(socket_.core("accept"), Direction::write, "accept");
  if (operation.wait_at_most(end)) sleep(length);
  if (expiry.passed()) throw SocketTimeout("accept " + address_.str() + ": timed out");
}

void Listener::close() noexcept {
  path_.remove();
  socket_.close();
}

}  // namespace hawser
