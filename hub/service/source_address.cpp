#include "hub/service/source_address.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>

namespace hawser::hub {
namespace {

constexpr std::size_t kLongest = 128;
constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr std::array<std::uint8_t, 12> kTranslated = {0x00, 0x64, 0xff, 0x9b};

std::string_view without_port(std::string_view source) {
  if (source.starts_with('[')) return source.substr(1, source.find(']') - 1);
  const auto colon = source.rfind(':');
  const bool has_port = colon != std::string_view::npos && source.find(':') == colon;
  return source.substr(0, has_port ? colon : source.size());
}

std::optional<in6_addr> parse_ipv6(std::string_view host) {
  in6_addr address{};
  if (::inet_pton(AF_INET6, std::string(host).c_str(), &address) != 1) return std::nullopt;
  return address;
}

std::string text_of(int family, const void* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  return ::inet_ntop(family, address, text.data(), text.size()) == nullptr ? std::string() : std::string(text.data());
}

}  // namespace

std::string address_of(std::string_view source) {
  const std::string_view host = without_port(source.substr(0, kLongest));
  // The zone of a link-local address says which link: the same prefix on another link is somewhere else.
  const auto zone = std::min(host.find('%'), host.size());
  const auto parsed = parse_ipv6(host.substr(0, zone));
  if (!parsed) return std::string(host);
  const std::span bytes(parsed->s6_addr);
  const auto head = bytes.first<12>();
  if (std::ranges::equal(head, kMapped) || std::ranges::equal(head, kTranslated)) {
    return text_of(AF_INET, bytes.last<4>().data());
  }
  in6_addr prefix{};
  std::ranges::copy(bytes.first<8>(), prefix.s6_addr);
  return fmt::format("{}{}/64", text_of(AF_INET6, &prefix), host.substr(zone));
}

}  // namespace hawser::hub
