#include <hawser/net/resolver.h>

#include <netdb.h>
#include <unistd.h>

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
  const std::string& host = endpoint.host();
  const detail::Answer answer =
      detail::LookupThreads::of_names().look_up(host, detail::LookupThreads::addresses_of(host, family), expiry);
  if (answer.code != 0) throw ResolveError(endpoint.host(), answer.code, answer.error_number);
  std::vector<Address> addresses;
  for (const Address& found : answer.addresses) {
    const Address address = found.with_port(endpoint.port());
    if (std::ranges::find(addresses, address) == addresses.end()) addresses.push_back(address);
  }
  if (addresses.empty()) throw ResolveError(endpoint.host(), EAI_NONAME, 0);
  return addresses;
}

std::string reverse_resolve(const Address& address, Timeout timeout) {
  if (!address.is_ip()) throw std::logic_error("reverse_resolve " + address.str() + ": only an IP address has a name");
  const auto ask = [address] {
    detail::Answer answer;
    char name[NI_MAXHOST];
    answer.code = ::getnameinfo(address.data(), address.size(), name, sizeof name, nullptr, 0, NI_NAMEREQD);
    answer.error_number = errno;
    if (answer.code == 0) answer.name = name;
    return answer;
  };
  detail::Answer answer = detail::LookupThreads::of_names().look_up(address.host(), ask, Expiry::of(timeout));
  if (answer.code != 0) throw ResolveError(address.host(), answer.code, answer.error_number);
  return std::move(answer.name);
}

namespace {

// getservbyname_r and getservbyport_r agree but for their first argument.
template <class Get>
detail::Answer get_service(const Get& get) {
  detail::Answer answer{.code = EAI_SERVICE, .addresses = {}, .name = {}};
  std::vector<char> memory(1024);
  servent entry{};
  servent* found = nullptr;
  int error;
  while ((error = get(&entry, memory.data(), memory.size(), &found)) == ERANGE) memory.resize(memory.size() * 2);
  if (error == 0 && found) {
    answer.code = 0;
    answer.name = found->s_name;
    answer.port = ntohs(static_cast<std::uint16_t>(found->s_port));
  }
  return answer;
}

detail::Answer look_up_service(const std::string& what, detail::LookupThreads::Ask ask, Timeout timeout) {
  detail::Answer answer = detail::LookupThreads::of_services().look_up(what, std::move(ask), Expiry::of(timeout));
  if (answer.code != 0) throw ResolveError(what, answer.code, answer.error_number);
  return answer;
}

}  // namespace

int service_port(const std::string& name, const std::string& protocol, Timeout timeout) {
  const auto ask = [name, protocol] {
    return get_service([&](servent* entry, char* memory, std::size_t size, servent** found) {
      return ::getservbyname_r(name.c_str(), protocol.c_str(), entry, memory, size, found);
    });
  };
  return look_up_service(name + "/" + protocol, ask, timeout).port;
}

std::string service_name(int port, const std::string& protocol, Timeout timeout) {
  const std::string what = std::to_string(port) + "/" + protocol;
  if (port < 0 || port > 65535) throw AddressError(what, "the port must be 0 to 65535", 0);
  const auto ask = [port, protocol] {
    return get_service([&](servent* entry, char* memory, std::size_t size, servent** found) {
      return ::getservbyport_r(htons(static_cast<std::uint16_t>(port)), protocol.c_str(), entry, memory, size, found);
    });
  };
  return look_up_service(what, ask, timeout).name;
}

std::string host_name() {
  char name[256] = {};
  if (::gethostname(name, sizeof name - 1) < 0) throw_errno("gethostname", "");
  return name;
}

}  // namespace hawser
