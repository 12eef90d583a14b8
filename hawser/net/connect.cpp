#include <hawser/net/connect.h>

#include <netdb.h>

#include <algorithm>
#include <stdexcept>

#include <hawser/net/connect_race.h>
#include <hawser/net/lookup_threads.h>

namespace hawser {
namespace detail {

bool leads_to_itself(const Socket& socket, const Address& address) {
  return address.is_ip() && address.is_loopback() && socket.sock_name() == socket.peer_name();
}

Socket connect_one(const Address& address, const ConnectOptions& options, Expiry expiry) {
  Socket socket(address.family());
  if (address.is_ip() && options.no_delay) socket.set_no_delay(true);
  if (options.source) socket.bind(*options.source);
  const Timeout left = expiry.left();
  socket.set_timeout(left);
  try {
    socket.connect(address);
  } catch (const WouldBlock&) {  // the budget ended just before the attempt
    throw SocketTimeout("connect " + address.str() + ": timed out");
  }
  socket.set_timeout(std::nullopt);
  if (leads_to_itself(socket, address)) throw SystemError(ECONNREFUSED, "connect", address.str());
  return socket;
}

namespace {

// Addresses that are all known.
class ListFeed final : public AddressFeed {
 public:
  explicit ListFeed(std::span<const Address> addresses)
      : addresses_(addresses.begin(), addresses.end()), begins_with_v6_(addresses.front().is_ipv6()) {}
  void begin(std::function<void()>) override {}
  void end() noexcept override {}
  std::vector<Address> take() override { return std::exchange(addresses_, {}); }
  [[nodiscard]] bool is_complete(IpFamily) const override { return true; }
  [[nodiscard]] bool begins_with_v6() const override { return begins_with_v6_; }
  [[noreturn]] void fail() const override { throw std::logic_error("a race without addresses"); }

 private:
  std::vector<Address> addresses_;
  bool begins_with_v6_;
};

// A name, looked up for each family side by side.
class NameFeed final : public AddressFeed {
 public:
  NameFeed(const Endpoint& endpoint, IpFamily family)
      : endpoint_(endpoint), wants_v4_(family != IpFamily::v6), wants_v6_(family != IpFamily::v4) {}

  void begin(std::function<void()> notify) override {
    if (wants_v6_) v6_.emplace(LookupThreads::addresses_of(endpoint_.host(), AF_INET6), notify);
    if (wants_v4_) v4_.emplace(LookupThreads::addresses_of(endpoint_.host(), AF_INET), std::move(notify));
  }

  void end() noexcept override {
    v6_.reset();
    v4_.reset();
  }

  std::vector<Address> take() override {
    std::vector<Address> found;
    collect(v6_, v6_code_, found);
    collect(v4_, v4_code_, found);
    return found;
  }

  [[nodiscard]] bool is_complete(IpFamily family) const override { return !(family == IpFamily::v6 ? v6_ : v4_); }

  [[nodiscard]] bool begins_with_v6() const override { return true; }

  // That there is no address of one family says little when the other could not be asked.
  [[noreturn]] void fail() const override {
    const Failure& worse = wants_v4_ && (!wants_v6_ || v6_code_.code != EAI_AGAIN) ? v4_code_ : v6_code_;
    throw ResolveError(endpoint_.host(), worse.code, worse.error_number);
  }

 private:
  struct Failure {
    int code = EAI_NONAME;
    int error_number = 0;
  };

  void collect(std::optional<LookupThreads::Lookup>& lookup, Failure& failure, std::vector<Address>& found) {
    if (!lookup || !lookup->answered()) return;
    const Answer answer = lookup->take();
    lookup.reset();
    if (answer.code != 0) failure = {.code = answer.code, .error_number = answer.error_number};
    for (const Address& each : answer.addresses) {
      const Address address = each.with_port(endpoint_.port());
      if (std::ranges::find(found, address) == found.end()) found.push_back(address);
    }
  }

  const Endpoint& endpoint_;
  const bool wants_v4_, wants_v6_;
  std::optional<LookupThreads::Lookup> v4_, v6_;
  Failure v4_code_, v6_code_;
};

std::string describe(std::span<const ConnectError::Attempt> attempts) {
  std::string text;
  for (const auto& [address, error] : attempts) {
    if (!text.empty()) text += "; ";
    text += address.str() + ": " + std::system_category().message(error);
  }
  return text;
}

}  // namespace
}  // namespace detail

ConnectError::ConnectError(const std::string& endpoint, std::vector<Attempt> attempts)
    : SystemError(attempts.back().error_number, "connect", endpoint),
      attempts_(std::move(attempts)),
      message_("connect " + endpoint + ": " + detail::describe(attempts_)) {}

Socket connect(const Endpoint& endpoint, const ConnectOptions& options) {
  const Expiry expiry = Expiry::of(options.timeout);
  if (endpoint.numeric()) {
    const auto addresses = resolve(endpoint, {.family = options.family});
    return detail::connect_one(addresses.front(), options, expiry);
  }
  detail::NameFeed feed(endpoint, options.family);
  return detail::race(feed, endpoint.str(), options, expiry);
}

Socket connect_any(std::span<const Address> addresses, const ConnectOptions& options) {
  if (addresses.empty()) throw std::invalid_argument("connect_any: no address");
  const Expiry expiry = Expiry::of(options.timeout);
  if (addresses.size() == 1) return detail::connect_one(addresses.front(), options, expiry);
  detail::ListFeed feed(addresses);
  return detail::race(feed, std::to_string(addresses.size()) + " addresses", options, expiry);
}

}  // namespace hawser
