#include <hawser/net/address.h>
#include <hawser/net/address_text.h>

namespace hawser {
namespace {

constexpr std::size_t kLongestName = 253;  // RFC 1035, without the final dot

void check_name(std::string_view host) {
  if (host.empty()) throw AddressError(host, "the host is empty", 0);
  if (host.size() > kLongestName) {
    throw AddressError(host, "a host name has at most " + std::to_string(kLongestName) + " bytes", kLongestName);
  }
  for (std::size_t i = 0; i < host.size(); ++i) {
    const auto c = static_cast<unsigned char>(host[i]);
    if (c <= ' ' || c == 0x7F) throw AddressError(host, "a host name can't contain blanks or control characters", i);
    if (c == ':') throw AddressError(host, "not an IPv6 address, and a host name can't contain a colon", i);
  }
}

std::string_view without_brackets(std::string_view host) {
  return host.size() >= 2 && host.front() == '[' && host.back() == ']' ? host.substr(1, host.size() - 2) : host;
}

}  // namespace

Endpoint::Endpoint(std::string_view host, int port) : host_(without_brackets(host)), port_(port) {
  if (port < 0 || port > 65535) {
    const std::string text = detail::host_port_text(host_, std::to_string(port));
    throw AddressError(text, "the port must be 0 to 65535", text.rfind(':') + 1);
  }
  numeric_ = Address::try_ip(host_, port);
  if (!numeric_) check_name(host_);
}

Endpoint::Endpoint(const Address& address) : host_(address.host()), port_(address.port()), numeric_(address) {
  if (!address.is_ip() && !address.is_unix()) throw AddressError("", "no address", 0);
}

Endpoint Endpoint::parse(std::string_view text) {
  if (detail::is_unix_text(text)) return unix_path(text);
  const auto split = detail::split_host_port(text, std::nullopt);
  return {split.host, split.port};
}

Endpoint Endpoint::parse(std::string_view text, int default_port) {
  if (detail::is_unix_text(text)) return unix_path(text);
  const auto split = detail::split_host_port(text, default_port);
  return {split.host, split.port};
}

std::string Endpoint::str() const {
  return numeric_ ? numeric_->str() : detail::host_port_text(host_, std::to_string(port_));
}

}  // namespace hawser
