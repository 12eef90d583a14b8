// What a peer is counted by, for guesses, turns at hashing and refusals: its IPv4 address, or the first 64 bits of its
// IPv6 address.
//
// A network hands out IPv6 by the /64 (RFC 6177, RFC 7934): whoever has one address has 2^64 of them, and would be
// somebody else at each attempt. An IPv4 address inside an IPv6 one (::ffff:10.0.0.1, as a dual-stack socket sees it;
// 64:ff9b::10.0.0.1, RFC 6052, as a translator makes it) counts as itself.
#pragma once

#include <string>
#include <string_view>

namespace hawser::hub {

// Of "127.0.0.1:5000", "127.0.0.1"; of "[2001:db8:1:2:3::4]:5000", "2001:db8:1:2::/64"; of what is no IP address, at
// most 128 bytes as they are. With or without port.
[[nodiscard]] std::string address_of(std::string_view source);

}  // namespace hawser::hub
