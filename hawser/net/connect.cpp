#include <hawser/net/connect.h>

#include <stdexcept>

namespace hawser {
namespace {

// TCP lets a socket connect to itself when it asks for its own ephemeral port and nobody listens there.
bool leads_to_itself(const Socket& socket, const Address& address) {
  return address.is_ip() && address.is_loopback() && socket.sock_name() == socket.peer_name();
}

Socket connect_one(const Address& address, const ConnectOptions& options, Expiry expiry) {
  Socket socket(address.family());
  if (address.is_ip() && options.no_delay) socket.set_no_delay(true);
  if (options.source) socket.bind(*options.source);
  socket.set_timeout(expiry.left());
  socket.connect(address);
  socket.set_timeout(std::nullopt);
  if (leads_to_itself(socket, address)) throw SystemError(ECONNREFUSED, "connect", address.str());
  return socket;
}

// In turn, each with what is left of the budget. The place for trying several at once (RFC 8305).
Socket connect_in_turn(std::span<const Address> addresses, const ConnectOptions& options, Expiry expiry) {
  std::exception_ptr last;
  for (const Address& address : addresses) {
    if (expiry.passed()) throw SocketTimeout("connect " + address.str() + ": timed out");
    try {
      return connect_one(address, options, expiry);
    } catch (const WouldBlock&) {  // the budget ended just before the attempt
      throw SocketTimeout("connect " + address.str() + ": timed out");
    } catch (const SystemError&) {
      last = std::current_exception();
    }
  }
  std::rethrow_exception(last);
}

}  // namespace

Socket connect(const Endpoint& endpoint, const ConnectOptions& options) {
  const Expiry expiry = Expiry::of(options.timeout);
  const auto addresses = resolve(endpoint, {.family = options.family, .timeout = expiry.left()});
  return connect_in_turn(addresses, options, expiry);
}

Socket connect_any(std::span<const Address> addresses, const ConnectOptions& options) {
  if (addresses.empty()) throw std::invalid_argument("connect_any: no address");
  return connect_in_turn(addresses, options, Expiry::of(options.timeout));
}

}  // namespace hawser
