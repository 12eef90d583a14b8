// Address: where a socket is: a numeric IPv4 or IPv6 address with a port, or a UNIX path. Endpoint: where one is asked
// to go: a host name or address with a port, or a UNIX path. Values; nothing here waits or touches the network.
//
// Text forms, printed and parsed alike: `127.0.0.1:80`, `[::1]:80`, `[fe80::1%eth0]:80`, `/run/app.sock`, `./app.sock`,
// and `@name` for the abstract UNIX name "\0name" (unix(7)). A relative path without a '/' is printed with "./", and
// control characters and backslashes of a UNIX name as \xNN, which parse() reads; unix_path() takes names as they are.
// Bad text throws AddressError, which says what is wrong and where.
// Sources: RFC 4291 and RFC 4007 (IPv6 text and zones), RFC 1918, 3927, 4193, 5771 (classes), ip(7), ipv6(7), unix(7).
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace hawser {

namespace detail {
struct TextPart;
}

class AddressError : public std::invalid_argument {
 public:
  AddressError(std::string_view text, std::string_view fault, std::size_t position);
  // The index in the text at which the fault lies.
  [[nodiscard]] std::size_t position() const noexcept { return position_; }

 private:
  std::size_t position_;
};

// What kind of place an address is. An IPv4 address inside an IPv6 one (::ffff:10.0.0.1) counts as itself.
enum class AddressClass : std::uint8_t {
  unspecified,   // 0.0.0.0, ::
  loopback,      // 127.0.0.0/8, ::1
  private_a,     // 10.0.0.0/8
  private_b,     // 172.16.0.0/12
  private_c,     // 192.168.0.0/16
  unique_local,  // fc00::/7, the private addresses of IPv6
  link_local,    // 169.254.0.0/16, fe80::/10
  multicast,     // 224.0.0.0/4, ff00::/8
  broadcast,     // 255.255.255.255
  global,        // all others
  local,         // a UNIX path
};

class Address {
 public:
  // No address: the peer of an unnamed UNIX socket. Family AF_UNSPEC.
  Address() noexcept;

  // A numeric host, IPv6 with or without zone, without brackets. Throws AddressError.
  static Address ip(std::string_view host, int port);
  static Address ip(std::string_view host, std::string_view port);  // the port as a program's user writes it
  // The same; nothing when host is not numeric. Throws AddressError for the port only.
  static std::optional<Address> try_ip(std::string_view host, int port);
  // A file system path, or an abstract name when it begins with '\0' or '@'. Throws AddressError when it is empty,
  // contains '\0' elsewhere, or is longer than sun_path (107 bytes).
  static Address unix_path(std::string_view path);
  // Any of the text forms.
  static Address parse(std::string_view text);
  // As the kernel gives it. Throws std::invalid_argument for a family other than the three.
  static Address from(const sockaddr* address, socklen_t size);
  // The addresses of an open socket. Throw SystemError.
  static Address of_socket(int fd);
  static Address of_peer(int fd);

  [[nodiscard]] int family() const noexcept { return any_.sa_family; }
  [[nodiscard]] bool is_ip() const noexcept { return is_ipv4() || is_ipv6(); }
  [[nodiscard]] bool is_ipv4() const noexcept { return family() == AF_INET; }
  [[nodiscard]] bool is_ipv6() const noexcept { return family() == AF_INET6; }
  [[nodiscard]] bool is_unix() const noexcept { return family() == AF_UNIX; }
  // An IPv4 address inside an IPv6 one, as a dual-stack socket sees it: ::ffff:10.0.0.1.
  [[nodiscard]] bool is_v4_mapped() const noexcept;
  [[nodiscard]] bool is_abstract() const noexcept;

  // The numeric host, with zone, without brackets; empty for UNIX.
  [[nodiscard]] std::string host() const;
  // 0 for UNIX.
  [[nodiscard]] int port() const noexcept;
  // The same host with another port. Throws AddressError; std::logic_error when it is not IP.
  [[nodiscard]] Address with_port(int port) const;
  // The UNIX path; '\0' first when it is abstract; empty when it is unnamed or IP.
  [[nodiscard]] std::string path() const;
  // The text form; "(unnamed)" for a UNIX socket without a name.
  [[nodiscard]] std::string str() const;

  [[nodiscard]] AddressClass address_class() const noexcept;
  [[nodiscard]] bool is_unspecified() const noexcept { return address_class() == AddressClass::unspecified; }
  [[nodiscard]] bool is_loopback() const noexcept { return address_class() == AddressClass::loopback; }
  // 10/8, 172.16/12, 192.168/16 and fc00::/7.
  [[nodiscard]] bool is_private() const noexcept;
  [[nodiscard]] bool is_link_local() const noexcept { return address_class() == AddressClass::link_local; }
  [[nodiscard]] bool is_multicast() const noexcept { return address_class() == AddressClass::multicast; }

  // For system calls.
  [[nodiscard]] const sockaddr* data() const noexcept { return &any_; }
  [[nodiscard]] socklen_t size() const noexcept { return size_; }

  // UNIX paths are compared as text, but "./a" is "a".
  friend bool operator==(const Address& a, const Address& b) noexcept;

 private:
  friend class Endpoint;
  static std::optional<Address> try_ip(std::string_view host, int port, const detail::TextPart& part);
  template <class Refuse>
  static Address of_unix_name(std::string_view name, const Refuse& refuse);
  union {
    sockaddr any_;
    sockaddr_in v4_;
    sockaddr_in6 v6_;
    sockaddr_un un_;
  };
  socklen_t size_;
};

class Endpoint {
 public:
  // A host name or numeric address (brackets allowed), and a port: `{"127.0.0.1", 8080}`. Throws AddressError for an
  // empty host, one with '\0' or longer than 253 bytes, and a port outside 0-65535.
  Endpoint(std::string_view host, int port);
  // The port as a program's user writes it: `{"127.0.0.1", argv[1]}`. Throws AddressError also when it is no number.
  Endpoint(std::string_view host, std::string_view port);
  Endpoint(const Address& address);  // NOLINT(google-explicit-constructor): an address is a place to go to
  static Endpoint unix_path(std::string_view path) { return {Address::unix_path(path)}; }
  // "HOST:PORT", "[V6]:PORT", "/path", "./path", "@abstract".
  static Endpoint parse(std::string_view text);
  // The same, where ":PORT" may be left out.
  static Endpoint parse(std::string_view text, int default_port);

  // The host without brackets; empty for UNIX.
  [[nodiscard]] const std::string& host() const noexcept { return host_; }
  [[nodiscard]] int port() const noexcept { return port_; }
  [[nodiscard]] bool is_unix() const noexcept { return numeric_ && numeric_->is_unix(); }
  // The address, when no resolver is needed to tell.
  [[nodiscard]] const std::optional<Address>& numeric() const noexcept { return numeric_; }
  [[nodiscard]] std::string str() const;

 private:
  Endpoint(std::string_view host, int port, const detail::TextPart& part);

  std::string host_;
  int port_ = 0;
  std::optional<Address> numeric_;
};

}  // namespace hawser
