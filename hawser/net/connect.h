// connect: a connected stream socket to a host by name, address or UNIX path.
//
//   Socket sock = connect({"example.org", 80}, {.timeout = 5s});
//
// Resolves the name and races its addresses ("happy eyeballs", RFC 8305): IPv6 and IPv4 are looked up side by side; the
// attempts begin one after another, the families in turn, each a quarter of a second after the one before or as soon as
// that has failed; the first connection wins and the others are given up. The timeout is the budget of all that
// together.
//
// Throws ResolveError, AddressError, SocketTimeout, DeadlineExceeded, Cancelled, and SystemError when the only address
// refuses ("connect 127.0.0.1:81: Connection refused"); when there were several, ConnectError, which names each. Any
// thread or fiber.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <hawser/net/address.h>
#include <hawser/net/listener.h>
#include <hawser/net/resolver.h>
#include <hawser/net/socket.h>

namespace hawser {

struct ConnectOptions {
  Timeout timeout{};
  IpFamily family = IpFamily::any;
  // Bound to before connecting. With a port, and several addresses to race for: with SO_REUSEADDR, since all attempts
  // come from there.
  std::optional<Address> source{};
  bool no_delay = true;  // TCP_NODELAY; replies of small messages don't wait for acknowledgements
  // Between the starts of two attempts while none has failed (RFC 8305, section 5).
  Duration attempt_delay = std::chrono::milliseconds(250);
  // How long IPv4 waits for IPv6 when its addresses are known first (section 3).
  Duration resolution_delay = std::chrono::milliseconds(50);
};

// Every address failed. The error number is the last one's.
class ConnectError : public SystemError {
 public:
  struct Attempt {
    Address address;
    int error_number;
  };
  // At least one attempt. The endpoint is for the message.
  ConnectError(const std::string& endpoint, std::vector<Attempt> attempts);
  // In the order of failing.
  [[nodiscard]] const std::vector<Attempt>& attempts() const noexcept { return attempts_; }
  // "connect localhost:81: [::1]:81: Connection refused; 127.0.0.1:81: Connection refused"
  [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }

 private:
  std::vector<Attempt> attempts_;
  std::string message_;
};

[[nodiscard]] Socket connect(const Endpoint& endpoint, const ConnectOptions& options = {});

// The same with addresses that are known already; at least one (std::invalid_argument).
[[nodiscard]] Socket connect_any(std::span<const Address> addresses, const ConnectOptions& options = {});

// connect() and Listener under the names that Python gives them.
[[nodiscard]] inline Socket create_connection(const Endpoint& endpoint, Timeout timeout = {},
                                              std::optional<Address> source = {}) {
  return connect(endpoint, {.timeout = timeout, .source = source});
}
[[nodiscard]] inline Listener create_server(const Endpoint& endpoint, const ListenerOptions& options = {}) {
  return Listener(endpoint, options);
}

}  // namespace hawser
