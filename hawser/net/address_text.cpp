#include <hawser/net/address_text.h>

#include <charconv>

#include <hawser/net/address.h>

namespace hawser::detail {
namespace {

int parse_port(std::string_view text, std::size_t at) {
  const std::string_view digits = text.substr(at);
  if (digits.empty()) throw AddressError(text, "the port is missing", at);
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (digits[i] < '0' || digits[i] > '9') throw AddressError(text, "the port is not a number", at + i);
  }
  int port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || port > 65535) throw AddressError(text, "the port must be 0 to 65535", at);
  return port;
}

}  // namespace

HostPort split_host_port(std::string_view text, std::optional<int> default_port) {
  if (text.empty()) throw AddressError(text, "it is empty", 0);
  if (text[0] == '[') {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) throw AddressError(text, "the closing ] is missing", text.size());
    const std::string_view host = text.substr(1, close - 1);
    if (host.empty()) throw AddressError(text, "the host is empty", 1);
    if (close + 1 == text.size()) {
      if (default_port) return {host, 1, *default_port};
      throw AddressError(text, "the port is missing", text.size());
    }
    if (text[close + 1] != ':') throw AddressError(text, "expected : and the port after ]", close + 1);
    return {host, 1, parse_port(text, close + 2)};
  }
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) {
    if (default_port) return {text, 0, *default_port};
    throw AddressError(text, "the port is missing", text.size());
  }
  if (text.find(':', colon + 1) != std::string_view::npos) {
    if (default_port) return {text, 0, *default_port};
    throw AddressError(text, "IPv6 with a port is written [address]:port", 0);
  }
  if (colon == 0) throw AddressError(text, "the host is empty", 0);
  return {text.substr(0, colon), 0, parse_port(text, colon + 1)};
}

bool is_unix_text(std::string_view text) noexcept {
  return !text.empty() && (text[0] == '@' || text[0] == '\0' || text.find('/') != std::string_view::npos);
}

std::string host_port_text(std::string_view host, std::string_view port) {
  std::string text;
  text.reserve(host.size() + port.size() + 3);
  const bool brackets = host.find(':') != std::string_view::npos;
  if (brackets) text += '[';
  text += host;
  if (brackets) text += ']';
  text += ':';
  text += port;
  return text;
}

std::string printable(std::string_view text) {
  constexpr std::size_t kLongest = 200;
  constexpr char kHex[] = "0123456789abcdef";
  std::string safe;
  for (const char c : text.substr(0, kLongest)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) {
      safe += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    } else {
      safe += c;
    }
  }
  if (text.size() > kLongest) safe += "...";
  return safe;
}

}  // namespace hawser::detail
