#include <hawser/net/address.h>

#include <arpa/inet.h>
#include <net/if.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include <hawser/base/errors.h>
#include <hawser/base/system_calls.h>
#include <hawser/net/address_text.h>

namespace hawser {
namespace {

constexpr std::size_t kPathOffset = offsetof(sockaddr_un, sun_path);

// The number of an interface given by name or number; 0 when there is none.
std::uint32_t zone_number(std::string_view zone) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(zone.data(), zone.data() + zone.size(), number);
  if (error == std::errc() && end == zone.data() + zone.size()) return number;
  return zone.size() < IF_NAMESIZE ? ::if_nametoindex(std::string(zone).c_str()) : 0;
}

std::string zone_name(std::uint32_t number) {
  char name[IF_NAMESIZE];
  return ::if_indextoname(number, name) ? name : std::to_string(number);
}

std::string ipv4_text(in_addr address) {
  const auto* octets = reinterpret_cast<const unsigned char*>(&address);
  char text[INET_ADDRSTRLEN];
  char* at = text;
  for (int i = 0; i < 4; ++i) {
    if (i) *at++ = '.';
    at = std::to_chars(at, std::end(text), octets[i]).ptr;
  }
  return {text, at};
}

// The name in it, of a path without "./" and with the '\0' at its end.
std::string_view bare_name(const sockaddr_un& address, socklen_t size) {
  std::string_view name(address.sun_path, size - std::min<std::size_t>(size, kPathOffset));
  while (name.starts_with("./")) name.remove_prefix(2);
  return name;
}

AddressClass classify(in_addr address) {
  const std::uint32_t ip = ntohl(address.s_addr);
  if (ip == 0) return AddressClass::unspecified;
  if (ip == 0xFFFFFFFF) return AddressClass::broadcast;
  if (ip >> 24 == 127) return AddressClass::loopback;
  if (ip >> 24 == 10) return AddressClass::private_a;
  if (ip >> 20 == (172 << 4 | 1)) return AddressClass::private_b;
  if (ip >> 16 == (192 << 8 | 168)) return AddressClass::private_c;
  if (ip >> 16 == (169 << 8 | 254)) return AddressClass::link_local;
  if (ip >> 28 == 14) return AddressClass::multicast;
  return AddressClass::global;
}

AddressClass classify(const in6_addr& address) {
  if (IN6_IS_ADDR_V4MAPPED(&address)) {
    in_addr inner;
    std::memcpy(&inner, address.s6_addr + 12, sizeof inner);
    return classify(inner);
  }
  if (IN6_IS_ADDR_UNSPECIFIED(&address)) return AddressClass::unspecified;
  if (IN6_IS_ADDR_LOOPBACK(&address)) return AddressClass::loopback;
  if (IN6_IS_ADDR_LINKLOCAL(&address)) return AddressClass::link_local;
  if (IN6_IS_ADDR_MULTICAST(&address)) return AddressClass::multicast;
  if ((address.s6_addr[0] & 0xFE) == 0xFC) return AddressClass::unique_local;
  return AddressClass::global;
}

}  // namespace

AddressError::AddressError(std::string_view text, std::string_view fault, std::size_t position)
    : std::invalid_argument("bad address \"" + detail::printable(text) + "\": " + std::string(fault) + " (at " +
                            std::to_string(position) + ")"),
      position_(position) {}

Address::Address() noexcept : un_{}, size_(sizeof(sa_family_t)) {}

std::optional<Address> Address::try_ip(std::string_view host, int port) { return try_ip(host, port, {.whole = host}); }

std::optional<Address> Address::try_ip(std::string_view host, int port, const detail::TextPart& part) {
  const std::string text(host);
  Address address;
  if (::inet_pton(AF_INET, text.c_str(), &address.v4_.sin_addr) == 1 && text.size() == std::strlen(text.c_str())) {
    address.v4_.sin_family = AF_INET;
    address.size_ = sizeof address.v4_;
    return address.with_port(port);
  }
  const std::size_t percent = std::min(host.find('%'), host.size());
  const std::string number(host.substr(0, percent));
  if (number.find('\0') != std::string::npos) return std::nullopt;
  if (::inet_pton(AF_INET6, number.c_str(), &address.v6_.sin6_addr) != 1) return std::nullopt;
  address.v6_.sin6_family = AF_INET6;
  address.size_ = sizeof address.v6_;
  if (percent < host.size()) {
    address.v6_.sin6_scope_id = zone_number(host.substr(percent + 1));
    if (address.v6_.sin6_scope_id == 0) part.refuse("no such interface", percent + 1);
  }
  return address.with_port(port);
}

Address Address::ip(std::string_view host, int port) {
  if (host.empty()) throw AddressError(host, "the host is empty", 0);
  if (auto address = try_ip(host, port)) return *address;
  throw AddressError(host, "not a numeric IPv4 or IPv6 address", 0);
}

Address Address::ip(std::string_view host, std::string_view port) { return ip(host, detail::port_number(host, port)); }

Address Address::unix_path(std::string_view path) {
  return of_unix_name(
      path, [path](const std::string& fault, std::size_t position) { throw AddressError(path, fault, position); });
}

// refuse(): throws, given the fault and the byte of the name where it lies.
template <class Refuse>
Address Address::of_unix_name(std::string_view path, const Refuse& refuse) {
  if (path.empty()) refuse("the path is empty", 0);
  Address address;
  address.un_.sun_family = AF_UNIX;
  const bool abstract = path[0] == '\0' || path[0] == '@';
  // An abstract name is all of sun_path; a file system path ends in '\0'.
  const std::size_t longest = sizeof address.un_.sun_path - (abstract ? 0 : 1);
  if (path.size() > longest) {
    refuse("longer than the " + std::to_string(longest) + " bytes of a UNIX address", longest);
  }
  if (abstract && path.size() == 1) refuse("the abstract name is empty", 1);
  if (const auto nul = path.find('\0', 1); !abstract && nul != std::string_view::npos) {
    refuse("a path can't contain a NUL byte", nul);
  }
  std::memcpy(address.un_.sun_path, path.data(), path.size());
  if (abstract) address.un_.sun_path[0] = '\0';
  address.size_ = static_cast<socklen_t>(kPathOffset + path.size() + (abstract ? 0 : 1));
  return address;
}

Address Address::parse(std::string_view text) {
  if (detail::is_unix_text(text)) {
    if (const auto mark = detail::url_mark(text)) throw AddressError(text, "a URL is no address", *mark);
    const std::string name = detail::unix_name(text);
    // A path of full length has no room for the "./" that was put before it.
    const std::size_t skipped = name.size() >= sizeof(sockaddr_un::sun_path) && name.starts_with("./") &&
                                        name[2] != '@' && name.find('/', 2) == std::string::npos
                                    ? 2
                                    : 0;
    return of_unix_name(std::string_view(name).substr(skipped), [&](const std::string& fault, std::size_t position) {
      throw AddressError(text, fault, detail::text_position(text, skipped + position));
    });
  }
  const auto split = detail::split_host_port(text, std::nullopt);
  if (auto address = try_ip(split.host, split.port, {.whole = text, .at = split.host_at})) return *address;
  throw AddressError(text, "not a numeric IPv4 or IPv6 address", split.host_at);
}

Address Address::from(const sockaddr* address, socklen_t size) {
  Address copy;
  if (size < sizeof(sa_family_t) || address->sa_family == AF_UNSPEC) return copy;
  switch (address->sa_family) {
    case AF_INET:
      if (size < sizeof copy.v4_) throw std::invalid_argument("an IPv4 socket address is too short");
      copy.size_ = sizeof copy.v4_;
      std::memcpy(&copy.v4_, address, copy.size_);
      return copy;
    case AF_INET6:
      if (size < sizeof copy.v6_) throw std::invalid_argument("an IPv6 socket address is too short");
      copy.size_ = sizeof copy.v6_;
      std::memcpy(&copy.v6_, address, copy.size_);
      return copy;
    case AF_UNIX:
      break;
    default:
      throw std::invalid_argument("socket address of an unknown family " + std::to_string(address->sa_family));
  }
  copy.size_ = std::min<socklen_t>(size, sizeof copy.un_);
  std::memcpy(&copy.un_, address, copy.size_);
  // The kernel may count the '\0' of a path or not (unix(7)): one form here.
  if (copy.size_ > kPathOffset && copy.un_.sun_path[0] != '\0') {
    copy.un_.sun_path[sizeof copy.un_.sun_path - 1] = '\0';
    copy.size_ = static_cast<socklen_t>(kPathOffset + std::strlen(copy.un_.sun_path) + 1);
  }
  return copy;
}

Address Address::of_socket(int fd) {
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  if (detail::sys::getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size) < 0)
    throw_errno("getsockname", "socket " + std::to_string(fd));
  return from(reinterpret_cast<const sockaddr*>(&name), size);
}

Address Address::of_peer(int fd) {
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  if (detail::sys::getpeername(fd, reinterpret_cast<sockaddr*>(&name), &size) < 0)
    throw_errno("getpeername", "socket " + std::to_string(fd));
  return from(reinterpret_cast<const sockaddr*>(&name), size);
}

bool Address::is_v4_mapped() const noexcept { return is_ipv6() && IN6_IS_ADDR_V4MAPPED(&v6_.sin6_addr); }

bool Address::is_abstract() const noexcept { return is_unix() && size_ > kPathOffset && un_.sun_path[0] == '\0'; }

std::string Address::host() const {
  if (is_ipv4()) return ipv4_text(v4_.sin_addr);
  if (!is_ipv6()) return {};
  char text[INET6_ADDRSTRLEN];
  std::string host = ::inet_ntop(AF_INET6, &v6_.sin6_addr, text, sizeof text);
  if (v6_.sin6_scope_id) host.append("%").append(zone_name(v6_.sin6_scope_id));
  return host;
}

int Address::port() const noexcept {
  if (is_ipv4()) return ntohs(v4_.sin_port);
  return is_ipv6() ? ntohs(v6_.sin6_port) : 0;
}

Address Address::with_port(int port) const {
  if (!is_ip()) throw std::logic_error("only an IP address has a port");
  if (port < 0 || port > 65535) {
    const std::string text = detail::host_port_text(host(), std::to_string(port));
    throw AddressError(text, "the port must be 0 to 65535", text.rfind(':') + 1);
  }
  Address copy = *this;
  (is_ipv4() ? copy.v4_.sin_port : copy.v6_.sin6_port) = htons(static_cast<std::uint16_t>(port));
  return copy;
}

std::string Address::path() const {
  if (!is_unix() || size_ <= kPathOffset) return {};
  return {un_.sun_path, size_ - kPathOffset - (is_abstract() ? 0 : 1)};
}

std::string Address::str() const {
  if (is_ip()) return detail::host_port_text(host(), std::to_string(port()));
  std::string name = path();
  if (name.empty()) return "(unnamed)";
  if (name[0] == '\0') {
    name[0] = '@';
  } else if (name[0] == '@' || !detail::is_unix_text(name) || detail::url_mark(name)) {
    name.insert(0, "./");
  }
  return detail::unix_text(name);
}

AddressClass Address::address_class() const noexcept {
  if (is_ipv4()) return classify(v4_.sin_addr);
  if (is_ipv6()) return classify(v6_.sin6_addr);
  return is_unix() ? AddressClass::local : AddressClass::unspecified;
}

bool Address::is_private() const noexcept {
  const AddressClass c = address_class();
  return c >= AddressClass::private_a && c <= AddressClass::unique_local;
}

bool operator==(const Address& a, const Address& b) noexcept {
  if (a.family() != b.family()) return false;
  if (a.is_ipv4()) return a.v4_.sin_port == b.v4_.sin_port && a.v4_.sin_addr.s_addr == b.v4_.sin_addr.s_addr;
  if (a.is_ipv6()) {
    return a.v6_.sin6_port == b.v6_.sin6_port && a.v6_.sin6_scope_id == b.v6_.sin6_scope_id &&
           IN6_ARE_ADDR_EQUAL(&a.v6_.sin6_addr, &b.v6_.sin6_addr);
  }
  if (!a.is_unix() || a.is_abstract() != b.is_abstract()) return a.size_ == b.size_;
  return bare_name(a.un_, a.size_) == bare_name(b.un_, b.size_);
}

}  // namespace hawser
