// resolve: host names to addresses, without holding up any fiber but the caller.
//
// And back: names of addresses, names and numbers of services.
//
// A numeric address or UNIX path is answered on the spot. Names are looked up by getaddrinfo(3) on threads of their
// own, at most kResolverThreads at once; further callers wait in line. Waits for the answer, the timeout, a Deadline or
// a cancellation; a lookup that was given up goes on in the background and its answer is dropped. Such a one does not
// count, so that names given up for a silent name server hold up no others, until there are kResolverThreadsAtMost
// threads in all. Services have threads of their own. Any thread or fiber.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include <hawser/base/clock.h>
#include <hawser/net/address.h>

namespace hawser {

inline constexpr int kResolverThreads = 16;
inline constexpr int kResolverThreadsAtMost = 256;

// The name could not be resolved: "resolve no.such.host: Name or service not known".
class ResolveError : public std::runtime_error {
 public:
  ResolveError(std::string host, int code, int error_number);
  [[nodiscard]] const std::string& host() const noexcept { return host_; }
  // EAI_NONAME and the others of getaddrinfo(3).
  [[nodiscard]] int code() const noexcept { return code_; }
  // True when trying again later may help.
  [[nodiscard]] bool is_temporary() const noexcept;

 private:
  std::string host_;
  int code_;
};

enum class IpFamily : std::uint8_t { any, v4, v6 };

struct ResolveOptions {
  IpFamily family = IpFamily::any;
  Timeout timeout{};
};

// All stream addresses of the endpoint, at least one, without repetition, best first (RFC 6724, as getaddrinfo sorts).
// Throws ResolveError, SocketTimeout, DeadlineExceeded, Cancelled; std::invalid_argument for a negative timeout;
// SystemError when there is no thread to ask on, and none to be had.
std::vector<Address> resolve(const Endpoint& endpoint, const ResolveOptions& options = {});

// The name of an address, by getnameinfo(3): "localhost". Waits and throws as resolve() does; ResolveError when it has
// none, std::logic_error when it is not IP.
std::string reverse_resolve(const Address& address, Timeout timeout = {});

// The port of a service and the service of a port, as /etc/services and its like have them: "http" and 80. protocol:
// "tcp" or "udp". Wait and throw as resolve() does; ResolveError when there is none.
int service_port(const std::string& name, const std::string& protocol = "tcp", Timeout timeout = {});
std::string service_name(int port, const std::string& protocol = "tcp", Timeout timeout = {});

// What this machine calls itself, gethostname(2).
std::string host_name();

}  // namespace hawser
