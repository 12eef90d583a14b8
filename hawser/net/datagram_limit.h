// datagram_limit: in words, why a datagram can't be sent; EMSGSIZE alone says too little. Internal.
#pragma once

#include <cstddef>
#include <string>

#include <hawser/net/address.h>
#include <hawser/net/socket.h>

namespace hawser::detail {

// " (70000 bytes; UDP over IPv4 carries at most 65507)". to: null for the peer that the socket is connected to.
[[nodiscard]] std::string datagram_limit(const Socket& socket, std::size_t size, const Address* to);

}  // namespace hawser::detail
