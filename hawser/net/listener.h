// Listener: a bound, listening stream socket, and how to accept from it without ever spinning or dying.
//
//   Listener listener({"127.0.0.1", 0});
//   log("listening on {}", listener.address().str());
//   for (;;) serve(listener.accept());
//
// The constructor resolves a host name as resolve() does and binds the first address that works; its SystemError names
// the address ("bind 127.0.0.1:80: Permission denied"). accept() waits for a connection; when descriptors or memory run
// out (EMFILE, ENFILE, ENOBUFS, ENOMEM) it logs that once, waits a little, longer each time up to a second, and goes
// on; connections that died in the queue are passed over. Several fibers or threads may not accept at once (two
// readers); close() may come from anywhere. Sources: accept(2), unix(7), ipv6(7).
#pragma once

#include <sys/types.h>

#include <optional>

#include <hawser/base/clock.h>
#include <hawser/net/address.h>
#include <hawser/net/resolver.h>
#include <hawser/net/socket.h>
#include <hawser/net/unix_path.h>

namespace hawser {

struct ListenerOptions {
  int backlog = SOMAXCONN;
  bool reuse_address = true;        // a restart need not wait for TIME_WAIT
  bool reuse_port = false;          // several listeners share the port
  bool dual_stack = false;          // an IPv6 listener takes IPv4 as well
  bool no_delay = true;             // TCP_NODELAY on what is accepted
  mode_t unix_mode = 0;             // permissions of a UNIX path; 0: as the umask leaves them
  IpFamily family = IpFamily::any;  // which addresses of a host name
};

class Listener {
 public:
  // Closed from the start.
  Listener() = default;
  // A UNIX path whose socket is gone is taken over; one that is in use, listening or only bound, is EADDRINUSE.
  explicit Listener(const Endpoint& endpoint, const ListenerOptions& options = {});
  // Takes over a stream socket that listens already (one handed on by a service manager, say); a UNIX path is left to
  // whoever made it. Throws std::invalid_argument when it does not listen.
  explicit Listener(Socket listening);
  // Bound, and not listening before listen() is called.
  static Listener bound(const Endpoint& endpoint, const ListenerOptions& options = {});
  void listen(int backlog = SOMAXCONN);
  Listener(Listener&&) noexcept;
  Listener& operator=(Listener&&) noexcept;
  // Closes.
  ~Listener();

  // Throws SocketTimeout, DeadlineExceeded, Cancelled, SocketClosed, SystemError.
  [[nodiscard]] Socket accept(Timeout timeout = std::nullopt);

  // Where it listens: with port 0 asked for, the port it got.
  [[nodiscard]] const Address& address() const noexcept { return address_; }
  [[nodiscard]] int fileno() const noexcept { return socket_.fileno(); }
  [[nodiscard]] Socket& socket() noexcept { return socket_; }

  // Idempotent; wakes accept() with SocketClosed. A UNIX path is removed, unless another file has taken its place.
  void close() noexcept;

 private:
  void open(const Endpoint& endpoint, const ListenerOptions& options, std::optional<int> backlog);
  void open(const Address& address, const ListenerOptions& options, std::optional<int> backlog);
  void rest(Duration length, Expiry expiry);

  Socket socket_;
  Address address_;
  detail::UnixPath path_;
  Duration pause_{0};  // the last one for want of descriptors; zero when all is well
};

}  // namespace hawser
