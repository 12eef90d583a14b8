// race: several addresses, one connection (RFC 8305). Internal; see connect.h.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <hawser/base/clock.h>
#include <hawser/net/connect.h>

namespace hawser::detail {

// Where the addresses come from, as they become known. Used by the racing context only.
class AddressFeed {
 public:
  virtual ~AddressFeed() = default;
  // Asked once, before all else: to be called, from anywhere, whenever there is more to take.
  virtual void begin(std::function<void()> notify) = 0;
  // From then on notify is not called any more.
  virtual void end() noexcept = 0;
  // What has become known since the last call, the best first.
  virtual std::vector<Address> take() = 0;
  // No more will come of that family.
  [[nodiscard]] virtual bool is_complete(IpFamily family) const = 0;
  // The family that begins.
  [[nodiscard]] virtual bool begins_with_v6() const = 0;
  // There was no address at all.
  [[noreturn]] virtual void fail() const = 0;
};

// endpoint: for messages.
Socket race(AddressFeed& feed, const std::string& endpoint, const ConnectOptions& options, Expiry expiry);

// One attempt, to its end.
Socket connect_one(const Address& address, const ConnectOptions& options, Expiry expiry);
// TCP lets a socket connect to itself when it asks for its own ephemeral port and nobody listens there.
bool leads_to_itself(const Socket& socket, const Address& address);

}  // namespace hawser::detail
