// Socket options by name and type: `sock.set(option::no_delay, true)`, `int n = sock.get(option::receive_buffer)`.
//
// An error names the option: "setsockopt SO_BINDTODEVICE eth9: No such device". What is set can be read back. Options
// that IPv4 and IPv6 number apart (IpOption) are set by the socket's family. Never waits. Sources: socket(7), tcp(7),
// ip(7), ipv6(7).
#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <chrono>
#include <string>
#include <string_view>

#include <hawser/net/address.h>

namespace hawser {

template <class T>
struct SocketOption {
  int level;
  int number;
  const char* name;
};

// A buffer in bytes as it was asked for: the kernel doubles what it is given and shows the double; this shows the half.
// It may grant less than was asked (net.core.rmem_max): read it back to know.
struct BufferBytes {
  int value;
};

// An option that IPv4 and IPv6 each have.
template <class T>
struct IpOption {
  SocketOption<T> v4;
  SocketOption<T> v6;
  [[nodiscard]] constexpr const SocketOption<T>& of(int family) const noexcept { return family == AF_INET6 ? v6 : v4; }
};

// A network interface by its name, "eth0"; empty: the one that the routes choose.
struct InterfaceName {
  std::string name;
};

// A multicast group as seen on one interface.
struct GroupOn {
  Address group;
  std::string interface;
};

namespace option {

inline constexpr SocketOption<bool> reuse_address{SOL_SOCKET, SO_REUSEADDR, "SO_REUSEADDR"};
inline constexpr SocketOption<bool> accept_conn{SOL_SOCKET, SO_ACCEPTCONN, "SO_ACCEPTCONN"};  // read only
inline constexpr SocketOption<bool> reuse_port{SOL_SOCKET, SO_REUSEPORT, "SO_REUSEPORT"};
inline constexpr SocketOption<bool> broadcast{SOL_SOCKET, SO_BROADCAST, "SO_BROADCAST"};
inline constexpr SocketOption<bool> keep_alive{SOL_SOCKET, SO_KEEPALIVE, "SO_KEEPALIVE"};
inline constexpr SocketOption<std::chrono::seconds> keep_alive_idle{IPPROTO_TCP, TCP_KEEPIDLE, "TCP_KEEPIDLE"};
inline constexpr SocketOption<std::chrono::seconds> keep_alive_interval{IPPROTO_TCP, TCP_KEEPINTVL, "TCP_KEEPINTVL"};
inline constexpr SocketOption<int> keep_alive_count{IPPROTO_TCP, TCP_KEEPCNT, "TCP_KEEPCNT"};
inline constexpr SocketOption<std::chrono::milliseconds> user_timeout{IPPROTO_TCP, TCP_USER_TIMEOUT,
                                                                      "TCP_USER_TIMEOUT"};
inline constexpr SocketOption<bool> no_delay{IPPROTO_TCP, TCP_NODELAY, "TCP_NODELAY"};
inline constexpr SocketOption<bool> dont_route{SOL_SOCKET, SO_DONTROUTE, "SO_DONTROUTE"};
inline constexpr SocketOption<bool> oob_inline{SOL_SOCKET, SO_OOBINLINE, "SO_OOBINLINE"};
inline constexpr SocketOption<BufferBytes> send_buffer{SOL_SOCKET, SO_SNDBUF, "SO_SNDBUF"};
inline constexpr SocketOption<BufferBytes> receive_buffer{SOL_SOCKET, SO_RCVBUF, "SO_RCVBUF"};
// What was given with send_buffer and receive_buffer, beyond the system's limit: needs CAP_NET_ADMIN.
inline constexpr SocketOption<BufferBytes> send_buffer_force{SOL_SOCKET, SO_SNDBUFFORCE, "SO_SNDBUFFORCE"};
inline constexpr SocketOption<BufferBytes> receive_buffer_force{SOL_SOCKET, SO_RCVBUFFORCE, "SO_RCVBUFFORCE"};
// For routing and filters; needs CAP_NET_ADMIN.
inline constexpr SocketOption<int> mark{SOL_SOCKET, SO_MARK, "SO_MARK"};
inline constexpr SocketOption<bool> ipv6_only{IPPROTO_IPV6, IPV6_V6ONLY, "IPV6_V6ONLY"};
inline constexpr SocketOption<std::string> bind_to_device{SOL_SOCKET, SO_BINDTODEVICE, "SO_BINDTODEVICE"};
// Close with unsent data: nothing, or the seconds to wait. Zero resets the connection.
struct Linger {
  bool on = false;
  std::chrono::seconds wait{0};
};
inline constexpr SocketOption<Linger> linger{SOL_SOCKET, SO_LINGER, "SO_LINGER"};

// How many routers a packet may pass.
inline constexpr IpOption<int> hops{{IPPROTO_IP, IP_TTL, "IP_TTL"},
                                    {IPPROTO_IPV6, IPV6_UNICAST_HOPS, "IPV6_UNICAST_HOPS"}};
// The same for multicast; 1 (the default) does not leave the network, 0 not the host.
inline constexpr IpOption<int> multicast_hops{{IPPROTO_IP, IP_MULTICAST_TTL, "IP_MULTICAST_TTL"},
                                              {IPPROTO_IPV6, IPV6_MULTICAST_HOPS, "IPV6_MULTICAST_HOPS"}};
// Whether this host's members hear what is sent here. On by default.
inline constexpr IpOption<bool> multicast_loop{{IPPROTO_IP, IP_MULTICAST_LOOP, "IP_MULTICAST_LOOP"},
                                               {IPPROTO_IPV6, IPV6_MULTICAST_LOOP, "IPV6_MULTICAST_LOOP"}};
// Whether the socket hears all groups that anybody on this host has joined, as Linux has it by default, or its own.
inline constexpr IpOption<bool> multicast_all{{IPPROTO_IP, IP_MULTICAST_ALL, "IP_MULTICAST_ALL"},
                                              {IPPROTO_IPV6, IPV6_MULTICAST_ALL, "IPV6_MULTICAST_ALL"}};
// Where multicast goes out.
inline constexpr IpOption<InterfaceName> multicast_interface{{IPPROTO_IP, IP_MULTICAST_IF, "IP_MULTICAST_IF"},
                                                             {IPPROTO_IPV6, IPV6_MULTICAST_IF, "IPV6_MULTICAST_IF"}};
// Membership; see Socket::join_group().
inline constexpr IpOption<GroupOn> join_group{{IPPROTO_IP, MCAST_JOIN_GROUP, "MCAST_JOIN_GROUP"},
                                              {IPPROTO_IPV6, MCAST_JOIN_GROUP, "MCAST_JOIN_GROUP"}};
inline constexpr IpOption<GroupOn> leave_group{{IPPROTO_IP, MCAST_LEAVE_GROUP, "MCAST_LEAVE_GROUP"},
                                               {IPPROTO_IPV6, MCAST_LEAVE_GROUP, "MCAST_LEAVE_GROUP"}};

}  // namespace option

namespace detail {

// Throw SystemError naming the option; std::invalid_argument for a value that does not fit.
void set_option(int fd, const SocketOption<bool>& option, bool value);
void set_option(int fd, const SocketOption<int>& option, int value);
void set_option(int fd, const SocketOption<std::chrono::seconds>& option, std::chrono::seconds value);
void set_option(int fd, const SocketOption<std::chrono::milliseconds>& option, std::chrono::milliseconds value);
void set_option(int fd, const SocketOption<BufferBytes>& option, int value);
void set_option(int fd, const SocketOption<option::Linger>& option, option::Linger value);
void set_option(int fd, const SocketOption<std::string>& option, std::string_view value);
void set_option(int fd, const SocketOption<InterfaceName>& option, const InterfaceName& value);
void set_option(int fd, const SocketOption<GroupOn>& option, const GroupOn& value);

bool get_option(int fd, const SocketOption<bool>& option);
int get_option(int fd, const SocketOption<int>& option);
std::chrono::seconds get_option(int fd, const SocketOption<std::chrono::seconds>& option);
std::chrono::milliseconds get_option(int fd, const SocketOption<std::chrono::milliseconds>& option);
int get_option(int fd, const SocketOption<BufferBytes>& option);
option::Linger get_option(int fd, const SocketOption<option::Linger>& option);
std::string get_option(int fd, const SocketOption<std::string>& option);
InterfaceName get_option(int fd, const SocketOption<InterfaceName>& option);

}  // namespace detail
}  // namespace hawser
