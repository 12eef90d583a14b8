#include <hawser/net/address.h>
#include <hawser/net/address_text.h>

namespace hawser {
namespace {

constexpr std::size_t kLongestName = 253;  // RFC 1035, without the final dot

void check_name(std::string_view host, const detail::TextPart& part) {
  if (host.empty()) part.refuse("the host is empty", 0);
  if (host.size() > kLongestName) {
    part.refuse("a host name has at most " + std::to_string(kLongestName) + " bytes", kLongestName);
  }
  for (std::size_t i = 0; i < host.size(); ++i) {
    const auto c = static_cast<unsigned char>(host[i]);
    if (c <= ' ' || c == 0x7F) part.refuse("a host name can't contain blanks or control characters", i);
    if (c == ':') part.refuse("not an IPv6 address, and a host name can't contain a colon", i);
  }
}

std::string_view without_brackets(std::string_view host) {
  return host.size() >= 2 && host.front() == '[' && host.back() == ']' ? host.substr(1, host.size() - 2) : host;
}

}  // namespace

Endpoint::Endpoint(std::string_view host, int port)
    : Endpoint(without_brackets(host), port,
               {.whole = host, .at = without_brackets(host).size() < host.size() ? std::size_t{1} : 0}) {}

Endpoint::Endpoint(std::string_view host, std::string_view port)
    : Endpoint(host, detail::port_number(without_brackets(host), port)) {}

Endpoint::Endpoint(std::string_view host, int port, const detail::TextPart& part) : host_(host), port_(port) {
  if (port < 0 || port > 65535) {
    const std::string text = detail::host_port_text(host_, std::to_string(port));
    throw AddressError(text, "the port must be 0 to 65535", text.rfind(':') + 1);
  }
  numeric_ = Address::try_ip(host_, port, part);
  if (!numeric_) check_name(host_, part);
}

Endpoint::Endpoint(const Address& address) : host_(address.host()), port_(address.port()), numeric_(address) {
  if (!address.is_ip() && !address.is_unix()) throw AddressError("", "no address", 0);
}

Endpoint Endpoint::parse(std::string_view text) {
  if (detail::is_unix_text(text)) return Address::parse(text);
  const auto split = detail::split_host_port(text, std::nullopt);
  return {split.host, split.port, {.whole = text, .at = split.host_at}};
}

Endpoint Endpoint::parse(std::string_view text, int default_port) {
  if (detail::is_unix_text(text)) return Address::parse(text);
  const auto split = detail::split_host_port(text, default_port);
  return {split.host, split.port, {.whole = text, .at = split.host_at}};
}

std::string Endpoint::str() const {
  return numeric_ ? numeric_->str() : detail::host_port_text(host_, std::to_string(port_));
}

}  // namespace hawser
