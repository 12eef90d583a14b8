#include <hawser/net/interfaces.h>

#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>
#include <memory>

#include <hawser/base/errors.h>
#include <hawser/base/fd.h>
#include <hawser/base/system_calls.h>

namespace hawser {
namespace {

bool is_ip(const sockaddr* address) {
  return address && (address->sa_family == AF_INET || address->sa_family == AF_INET6);
}

Address address_of(const sockaddr* raw) {
  return Address::from(raw, raw->sa_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
}

int bits(const Address& mask) {
  int count = 0;
  const auto add = [&count](const auto& bytes) {
    for (const unsigned char byte : bytes) count += std::popcount(byte);
  };
  if (mask.is_ipv4()) {
    unsigned char bytes[4];
    std::memcpy(bytes, &reinterpret_cast<const sockaddr_in*>(mask.data())->sin_addr, sizeof bytes);
    add(bytes);
  } else {
    add(reinterpret_cast<const sockaddr_in6*>(mask.data())->sin6_addr.s6_addr);
  }
  return count;
}

std::string hardware_text(const sockaddr_ll& link) {
  constexpr char kHex[] = "0123456789abcdef";
  const unsigned char* const bytes = link.sll_addr;
  if (std::all_of(bytes, bytes + link.sll_halen, [](unsigned char byte) { return byte == 0; })) return {};
  std::string text;
  for (int i = 0; i < link.sll_halen && i < static_cast<int>(sizeof link.sll_addr); ++i) {
    if (i) text += ':';
    text += {kHex[bytes[i] >> 4], kHex[bytes[i] & 15]};
  }
  return text;
}

int mtu_of(int fd, const std::string& name) {
  ifreq request{};
  std::strncpy(request.ifr_name, name.c_str(), IFNAMSIZ - 1);
  return detail::sys::ioctl(fd, SIOCGIFMTU, &request) < 0 ? 0 : request.ifr_mtu;  // 0: it has just gone
}

}  // namespace

bool Interface::is_up() const noexcept { return flags & IFF_UP; }
bool Interface::is_running() const noexcept { return flags & IFF_RUNNING; }
bool Interface::is_loopback() const noexcept { return flags & IFF_LOOPBACK; }
bool Interface::is_point_to_point() const noexcept { return flags & IFF_POINTOPOINT; }
bool Interface::has_broadcast() const noexcept { return flags & IFF_BROADCAST; }
bool Interface::has_multicast() const noexcept { return flags & IFF_MULTICAST; }

std::vector<Interface> interfaces() {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) < 0) throw_errno("getifaddrs", "");
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(list, &::freeifaddrs);
  const UniqueFd probe(detail::sys::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!probe) throw_errno("socket", "of interfaces");
  std::map<std::string, Interface> known;
  for (const ifaddrs* entry = list; entry; entry = entry->ifa_next) {
    // An IPv4 address may have a label, "eth0:1", and is named by it; an interface's own name has no colon.
    const std::string name(entry->ifa_name, std::strcspn(entry->ifa_name, ":"));
    Interface& interface = known[name];
    interface.flags = entry->ifa_flags;
    if (interface.name.empty()) {
      interface.name = name;
      interface.index = static_cast<int>(::if_nametoindex(name.c_str()));
      interface.mtu = mtu_of(probe.get(), interface.name);
    }
    if (entry->ifa_addr && entry->ifa_addr->sa_family == AF_PACKET) {
      sockaddr_ll link{};
      std::memcpy(&link, entry->ifa_addr, sizeof link);
      interface.hardware_address = hardware_text(link);
    }
    if (!is_ip(entry->ifa_addr)) continue;
    InterfaceAddress address{
        .address = address_of(entry->ifa_addr), .netmask = {}, .prefix_length = 0, .broadcast = {}};
    if (is_ip(entry->ifa_netmask)) {
      address.netmask = address_of(entry->ifa_netmask);
      address.prefix_length = bits(address.netmask);
    }
    if ((entry->ifa_flags & IFF_BROADCAST) && is_ip(entry->ifa_broadaddr)) {
      address.broadcast = address_of(entry->ifa_broadaddr);
    }
    interface.addresses.push_back(address);
  }
  std::vector<Interface> all;
  for (auto& [name, interface] : known) all.push_back(std::move(interface));
  std::ranges::sort(all, {}, &Interface::index);
  return all;
}

Interface interface_named(std::string_view name) {
  for (Interface& interface : interfaces()) {
    if (interface.name == name) return std::move(interface);
  }
  throw SystemError(ENODEV, "interface", name);
}

}  // namespace hawser
