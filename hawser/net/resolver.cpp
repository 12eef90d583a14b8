#include <hawser/net/resolver.h>

#include <netdb.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <hawser/base/errors.h>
#include <hawser/fiber/waiter.h>
#include <hawser/net/lookup_threads.h>

namespace hawser {
namespace {

std::string reason(int code, int error_number) {
  return code == EAI_SYSTEM ? std::system_category().message(error_number) : ::gai_strerror(code);
}

int family_number(IpFamily family) {
  switch (family) {
    case IpFamily::v4:
      return AF_INET;
    case IpFamily::v6:
      return AF_INET6;
    case IpFamily::any:
      break;
  }
  return AF_UNSPEC;
}

}  // namespace

ResolveError::ResolveError(std::string host, int code, int error_number)
    : std::runtime_error("resolve " + host + ": " + reason(code, error_number)), host_(std::move(host)), code_(code) {}

bool ResolveError::is_temporary() const noexcept { return code_ == EAI_AGAIN || code_ == EAI_MEMORY; }

std::vector<Address> resolve(const Endpoint& endpoint, const ResolveOptions& options) {
  const Expiry expiry = Expiry::of(options.timeout);
  const int family = family_number(options.family);
  if (const auto& known = endpoint.numeric()) {
    if (known->is_ip() && family != AF_UNSPEC && known->family() != family) {
      throw ResolveError(endpoint.host(), EAI_ADDRFAMILY, 0);
    }
    return {*known};
  }
  const detail::Answer answer = detail::LookupThreads::instance().look_up(endpoint.host(), family, expiry);
  if (answer.code != 0) throw ResolveError(endpoint.host(), answer.code, answer.error_number);
  std::vector<Address> addresses;
  for (const Address& found : answer.addresses) {
    const Address address = found.with_port(endpoint.port());
    if (std::ranges::find(addresses, address) == addresses.end()) addresses.push_back(address);
  }
  if (addresses.empty()) throw ResolveError(endpoint.host(), EAI_NONAME, 0);
  return addresses;
}

}  // namespace hawser
