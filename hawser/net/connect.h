// connect: a connected stream socket to a host by name, address or UNIX path.
//
//   Socket sock = connect({"example.org", 80}, {.timeout = 5s});
//
// Resolves the name (see resolver.h) and tries every address in turn until one answers. The timeout is the budget of
// all that together. Throws ResolveError, AddressError, SocketTimeout, DeadlineExceeded, Cancelled; when every address
// refuses, the SystemError of the last ("connect 127.0.0.1:81: Connection refused"). Any thread or fiber.
#pragma once

#include <optional>
#include <span>

#include <hawser/net/address.h>
#include <hawser/net/resolver.h>
#include <hawser/net/socket.h>

namespace hawser {

struct ConnectOptions {
  Timeout timeout{};
  IpFamily family = IpFamily::any;
  std::optional<Address> source{};  // bound to before connecting
  bool no_delay = true;             // TCP_NODELAY; replies of small messages don't wait for acknowledgements
};

[[nodiscard]] Socket connect(const Endpoint& endpoint, const ConnectOptions& options = {});

// The same with addresses that are known already; at least one (std::invalid_argument).
[[nodiscard]] Socket connect_any(std::span<const Address> addresses, const ConnectOptions& options = {});

}  // namespace hawser
