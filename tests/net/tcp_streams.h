// Two ends of a connection, and what goes through it.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include <hawser/net/connect.h>
#include <hawser/net/listener.h>
#include <hawser/net/socket.h>

namespace hawser::testing {

inline std::pair<Socket, Socket> tcp_pair() {
  Listener listener({"127.0.0.1", 0});
  Socket client = connect(listener.address());
  return {std::move(client), listener.accept()};
}

// Bytes that tell when they are mixed up, cheap enough for sanitizers.
inline std::string pattern(std::size_t size) {
  std::vector<std::uint64_t> words(size / 8 + 1);
  for (std::uint64_t i = 0; auto& word : words) word = ++i * 0x9E3779B97F4A7C15;
  std::string bytes(size, '\0');
  std::memcpy(bytes.data(), words.data(), size);
  return bytes;
}

inline std::string receive(Socket& socket, std::size_t size) {
  std::string all;
  while (all.size() < size) {
    const Bytes some = socket.recv(1 << 20);
    if (!some) break;
    all += some.view();
  }
  return all;
}

}  // namespace hawser::testing
