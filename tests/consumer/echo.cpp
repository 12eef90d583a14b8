#include <cstdlib>

#include <hawser/hawser.h>

using namespace hawser;

int main(int, char** argv) {
  return run([&] {
    FiberTcpServer server({"127.0.0.1", static_cast<std::uint16_t>(std::atoi(argv[1]))}, [](Socket& peer) {
      while (Bytes data = peer.recv(1024)) peer.send_all(data);
    });
    server.serve_forever();
  });
}
