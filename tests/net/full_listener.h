// A place that does not answer.
#pragma once

#include <vector>

#include <hawser/net/listener.h>

namespace hawser::testing {

// A listener whose queue is full: connecting to it hangs.
class FullListener {
 public:
  FullListener() : listener_({"127.0.0.1", 0}, {.backlog = 0}) {
    for (int i = 0; i < 2; ++i) {
      Socket& socket = waiting_.emplace_back(AF_INET);
      socket.set_timeout(Duration::zero());
      static_cast<void>(socket.connect_ex(listener_.address()));
    }
  }
  [[nodiscard]] const Address& address() const { return listener_.address(); }

 private:
  Listener listener_;
  std::vector<Socket> waiting_;
};

}  // namespace hawser::testing
