// interfaces: the network interfaces of this host, with their addresses.
//
//   for (const Interface& each : interfaces()) print(each.name, each.mtu, each.addresses.front().address.host());
//
// Asks the kernel each time; never waits. Throws SystemError. Any thread or fiber. Sources: getifaddrs(3),
// netdevice(7).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/net/address.h>

namespace hawser {

struct InterfaceAddress {
  Address address;  // port 0; a link-local IPv6 one with its zone
  Address netmask;
  int prefix_length = 0;             // the netmask's bits
  std::optional<Address> broadcast;  // of IPv4 on a network that has such a thing
};

struct Interface {
  std::string name;
  int index = 0;
  std::uint32_t flags = 0;  // IFF_UP and the others of netdevice(7)
  int mtu = 0;
  std::string hardware_address;  // "02:42:ac:11:00:02"; empty where there is none
  std::vector<InterfaceAddress> addresses;

  [[nodiscard]] bool is_up() const noexcept;
  [[nodiscard]] bool is_running() const noexcept;  // it has a carrier
  [[nodiscard]] bool is_loopback() const noexcept;
  [[nodiscard]] bool is_point_to_point() const noexcept;
  [[nodiscard]] bool has_broadcast() const noexcept;
  [[nodiscard]] bool has_multicast() const noexcept;
};

// All, in the order of their index. An address with a label ("eth0:1") is one of its interface's.
[[nodiscard]] std::vector<Interface> interfaces();

// The one of that name. Throws SystemError (ENODEV).
[[nodiscard]] Interface interface_named(std::string_view name);

}  // namespace hawser
