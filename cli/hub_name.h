// HubName: where a hub is: HOST, HOST:PORT, [V6]:PORT or :PORT, as people write it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hawser::cli {

struct HubName {
  static constexpr std::uint16_t kDefaultPort = 7700;

  std::string host;
  std::uint16_t port = kDefaultPort;

  // Throws Failure (usage) saying what is wrong: an empty host is 127.0.0.1, a missing port is 7700.
  static HubName parse(std::string_view text);
  // "127.0.0.1:7700", "[::1]:7700": the key under which a hub is remembered.
  [[nodiscard]] std::string text() const;
  // localhost, 127.0.0.0/8 or ::1, judged by the name alone.
  [[nodiscard]] bool is_loopback() const noexcept;

  friend bool operator==(const HubName&, const HubName&) = default;
};

}  // namespace hawser::cli
