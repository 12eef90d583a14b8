#include "cli/hub_name.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include <hawser/net/address.h>

#include "cli/failure.h"
#include "cli/terminal.h"

namespace hawser::cli {
namespace {

[[noreturn]] void refuse(std::string_view text, std::string_view why) {
  throw usage_error(fmt::format("not the address of a hub: '{}': {} (wanted: HOST:PORT)", printable(text), why));
}

std::uint16_t parse_port(std::string_view digits, std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (digits.empty() || end != digits.data() + digits.size()) refuse(text, "the port is not a number");
  if (error != std::errc() || port == 0 || port > 65535) refuse(text, "ports go from 1 to 65535");
  return static_cast<std::uint16_t>(port);
}

// A zone ("%eth0") may follow; whether there is such an interface is found out later.
bool is_ipv6(std::string_view host) {
  in6_addr parsed{};
  return ::inet_pton(AF_INET6, std::string(host.substr(0, host.find('%'))).c_str(), &parsed) == 1;
}

}  // namespace

HubName HubName::parse(std::string_view text) {
  HubName name;
  std::string_view host = text;
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == std::string_view::npos) refuse(text, "']' is missing");
    host = text.substr(1, close - 1);
    const std::string_view rest = text.substr(close + 1);
    if (host.find(':') == std::string_view::npos) refuse(text, "in brackets goes an IPv6 address");
    if (!rest.empty()) {
      if (!rest.starts_with(':')) refuse(text, "after ']' goes ':' and the port");
      name.port = parse_port(rest.substr(1), text);
    }
  } else if (const auto colon = text.rfind(':'); colon != std::string_view::npos && text.find(':') == colon) {
    host = text.substr(0, colon);
    name.port = parse_port(text.substr(colon + 1), text);
  }
  const auto odd = [](unsigned char c) { return c <= ' ' || c == 0x7F || c == '/' || c == '@'; };
  if (std::ranges::any_of(host, odd)) refuse(text, "the host holds a character that no host has");
  if (host.size() > 253) refuse(text, "the host is too long");
  if (host.find(':') != std::string_view::npos && !Address::try_ip(host, name.port))
    refuse(text, "with that many colons it should be an IPv6 address");
  if (host.find(':') != std::string_view::npos && !is_ipv6(host)) refuse(text, "too many colons, and no IPv6 address");
  name.host = host.empty() ? "127.0.0.1" : std::string(host);
  std::ranges::transform(name.host, name.host.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return name;
}

std::string HubName::text() const {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port) : fmt::format("[{}]:{}", host, port);
}

bool HubName::is_loopback() const noexcept { return host == "localhost" || host == "::1" || host.starts_with("127."); }

}  // namespace hawser::cli
