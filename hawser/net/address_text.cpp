#include <hawser/net/address_text.h>

#include <charconv>
#include <utility>

#include <hawser/net/address.h>

namespace hawser::detail {
namespace {

constexpr std::size_t kEscape = 4;  // of \xNN

bool is_control(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7F;
}

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

std::string hex(unsigned char byte) {
  constexpr char kHex[] = "0123456789abcdef";
  return {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
}

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// The byte that text begins with, and how much of the text it takes.
std::pair<char, std::size_t> first_byte(std::string_view text) noexcept {
  if (text.size() >= kEscape && text[0] == '\\' && text[1] == 'x') {
    const int high = hex_digit(text[2]), low = hex_digit(text[3]);
    if (high >= 0 && low >= 0) return {static_cast<char>(high << 4 | low), kEscape};
  }
  return {text[0], 1};
}

}  // namespace

void TextPart::refuse(std::string_view fault, std::size_t position) const {
  throw AddressError(whole, fault, at + position);
}

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

int port_number(std::string_view host, std::string_view port) {
  const std::string text = host_port_text(host, port);
  return parse_port(text, text.size() - port.size());
}

bool is_unix_text(std::string_view text) noexcept {
  return !text.empty() && (text[0] == '@' || text[0] == '\0' || text.find('/') != std::string_view::npos);
}

std::optional<std::size_t> url_mark(std::string_view text) noexcept {
  constexpr std::string_view kOfSchemes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.";
  const std::size_t end = text.find_first_not_of(kOfSchemes);
  if (end == 0 || end == std::string_view::npos || !text.substr(end).starts_with("://")) return std::nullopt;
  return end;
}

std::string unix_text(std::string_view name) {
  std::string text;
  for (const char c : name) {
    if (is_control(c) || c == '\\') {
      text += hex(static_cast<unsigned char>(c));
    } else {
      text += c;
    }
  }
  return text;
}

std::string unix_name(std::string_view text) {
  std::string name;
  while (!text.empty()) {
    const auto [byte, length] = first_byte(text);
    name += byte;
    text.remove_prefix(length);
  }
  return name;
}

std::size_t text_position(std::string_view text, std::size_t name_position) noexcept {
  std::size_t at = 0;
  while (name_position-- > 0 && at < text.size()) at += first_byte(text.substr(at)).second;
  return at;
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
  std::string safe;
  for (const char c : text.substr(0, kLongest)) {
    if (is_control(c)) {
      safe += hex(static_cast<unsigned char>(c));
    } else {
      safe += c;
    }
  }
  if (text.size() > kLongest) safe += "...";
  return safe;
}

}  // namespace hawser::detail
