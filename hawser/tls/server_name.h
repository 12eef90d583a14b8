// What a server may be called in a certificate: a DNS name or an IP address. Internal to the floor.
#pragma once

#include <arpa/inet.h>

#include <array>
#include <string>

namespace hawser::detail {

inline bool is_ip_address(const std::string& name) noexcept {
  std::array<unsigned char, sizeof(in6_addr)> ignored{};
  return inet_pton(AF_INET, name.c_str(), ignored.data()) == 1 ||
         inet_pton(AF_INET6, name.c_str(), ignored.data()) == 1;
}

}  // namespace hawser::detail
