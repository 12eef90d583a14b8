#include <hawser/net/socket_options.h>

#include <net/if.h>

#include <cstring>
#include <limits>
#include <stdexcept>

#include <hawser/base/errors.h>
#include <hawser/base/system_calls.h>
#include <hawser/net/interfaces.h>

namespace hawser::detail {
namespace {

void set_raw(int fd, int level, int number, const char* name, const void* value, std::size_t size,
             std::string_view shown) {
  if (detail::sys::setsockopt(fd, level, number, value, static_cast<socklen_t>(size)) < 0) {
    throw_errno("setsockopt", std::string(name).append(" ").append(shown));
  }
}

template <class Raw>
Raw get_raw(int fd, int level, int number, const char* name) {
  Raw value{};
  socklen_t size = sizeof value;
  if (detail::sys::getsockopt(fd, level, number, &value, &size) < 0) throw_errno("getsockopt", name);
  return value;
}

// 0 for no name.
int interface_index(const std::string& name, const char* operation, const char* option) {
  if (name.empty()) return 0;
  const unsigned index = ::if_nametoindex(name.c_str());
  if (index == 0) throw SystemError(errno, operation, std::string(option) + " " + name);
  return static_cast<int>(index);
}

in_addr ipv4_of(const Address& address) { return reinterpret_cast<const sockaddr_in*>(address.data())->sin_addr; }

// The first IPv4 address of the interface; 0.0.0.0 when there is none.
in_addr first_ipv4(const std::string& name) {
  if (name.empty()) return {};
  for (const InterfaceAddress& each : interface_named(name).addresses) {
    if (each.address.is_ipv4()) return ipv4_of(each.address);
  }
  return {};
}

// The interface that has the address; none for 0.0.0.0.
std::string name_with(in_addr address) {
  if (address.s_addr == 0) return {};
  for (const Interface& interface : interfaces()) {
    for (const InterfaceAddress& each : interface.addresses) {
      if (each.address.is_ipv4() && ipv4_of(each.address).s_addr == address.s_addr) return interface.name;
    }
  }
  return {};
}

void set_int(int fd, int level, int number, const char* name, long long value) {
  if (value < std::numeric_limits<int>::min() || value > std::numeric_limits<int>::max()) {
    throw std::invalid_argument(std::string("setsockopt ") + name + ": " + std::to_string(value) + " is too large");
  }
  const int narrow = static_cast<int>(value);
  set_raw(fd, level, number, name, &narrow, sizeof narrow, std::to_string(narrow));
}

}  // namespace

void set_option(int fd, const SocketOption<bool>& o, bool value) {
  const int number = value ? 1 : 0;
  set_raw(fd, o.level, o.number, o.name, &number, sizeof number, value ? "on" : "off");
}
void set_option(int fd, const SocketOption<int>& o, int value) { set_int(fd, o.level, o.number, o.name, value); }
void set_option(int fd, const SocketOption<std::chrono::seconds>& o, std::chrono::seconds value) {
  set_int(fd, o.level, o.number, o.name, value.count());
}
void set_option(int fd, const SocketOption<std::chrono::milliseconds>& o, std::chrono::milliseconds value) {
  set_int(fd, o.level, o.number, o.name, value.count());
}
void set_option(int fd, const SocketOption<BufferBytes>& o, int value) {
  if (value < 0) throw std::invalid_argument(std::string("setsockopt ") + o.name + ": a size can't be negative");
  set_int(fd, o.level, o.number, o.name, value);
}
void set_option(int fd, const SocketOption<option::Linger>& o, option::Linger value) {
  if (value.wait.count() < 0 || value.wait.count() > std::numeric_limits<int>::max()) {
    throw std::invalid_argument(std::string("setsockopt ") + o.name + ": the wait is out of range");
  }
  const linger raw{.l_onoff = value.on ? 1 : 0, .l_linger = static_cast<int>(value.wait.count())};
  set_raw(fd, o.level, o.number, o.name, &raw, sizeof raw, value.on ? "on" : "off");
}
void set_option(int fd, const SocketOption<std::string>& o, std::string_view value) {
  set_raw(fd, o.level, o.number, o.name, value.data(), value.size(), value);
}
void set_option(int fd, const SocketOption<InterfaceName>& o, const InterfaceName& value) {
  const int index = interface_index(value.name, "setsockopt", o.name);
  if (o.level == IPPROTO_IPV6) return set_raw(fd, o.level, o.number, o.name, &index, sizeof index, value.name);
  // The index decides. The address is what can be read back, and what the kernel would send from anyhow.
  const ip_mreqn raw{.imr_multiaddr = {}, .imr_address = first_ipv4(value.name), .imr_ifindex = index};
  set_raw(fd, o.level, o.number, o.name, &raw, sizeof raw, value.name);
}
void set_option(int fd, const SocketOption<GroupOn>& o, const GroupOn& value) {
  std::string shown = value.group.is_ip() ? value.group.host() : value.group.str();
  if (!value.group.is_multicast()) throw std::invalid_argument(std::string(o.name) + " " + shown + ": not a group");
  group_req raw{};
  raw.gr_interface = static_cast<std::uint32_t>(interface_index(value.interface, "setsockopt", o.name));
  std::memcpy(&raw.gr_group, value.group.data(), value.group.size());
  if (!value.interface.empty()) shown += " on " + value.interface;
  set_raw(fd, o.level, o.number, o.name, &raw, sizeof raw, shown);
}

bool get_option(int fd, const SocketOption<bool>& o) { return get_raw<int>(fd, o.level, o.number, o.name) != 0; }
int get_option(int fd, const SocketOption<int>& o) { return get_raw<int>(fd, o.level, o.number, o.name); }
std::chrono::seconds get_option(int fd, const SocketOption<std::chrono::seconds>& o) {
  return std::chrono::seconds(get_raw<int>(fd, o.level, o.number, o.name));
}
std::chrono::milliseconds get_option(int fd, const SocketOption<std::chrono::milliseconds>& o) {
  return std::chrono::milliseconds(get_raw<int>(fd, o.level, o.number, o.name));
}
int get_option(int fd, const SocketOption<BufferBytes>& o) {
  return get_raw<int>(fd, o.level, o.number, o.name) / 2;  // socket(7): the kernel doubles what it is given
}
option::Linger get_option(int fd, const SocketOption<option::Linger>& o) {
  const auto raw = get_raw<linger>(fd, o.level, o.number, o.name);
  return {.on = raw.l_onoff != 0, .wait = std::chrono::seconds(raw.l_linger)};
}
InterfaceName get_option(int fd, const SocketOption<InterfaceName>& o) {
  if (o.level != IPPROTO_IPV6) return {name_with(get_raw<in_addr>(fd, o.level, o.number, o.name))};
  const int index = get_raw<int>(fd, o.level, o.number, o.name);
  char name[IF_NAMESIZE] = {};
  return {index && ::if_indextoname(static_cast<unsigned>(index), name) ? name : std::string()};
}
std::string get_option(int fd, const SocketOption<std::string>& o) {
  char text[256] = {};
  socklen_t size = sizeof text - 1;
  if (detail::sys::getsockopt(fd, o.level, o.number, text, &size) < 0) throw_errno("getsockopt", o.name);
  return text;
}

}  // namespace hawser::detail
