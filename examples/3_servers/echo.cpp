#include <hawser/hawser.h>
using namespace hawser;

// One fiber a client; reads like a program for a single peer.
int main() {
  return run([] {
    FiberTcpServer server({"127.0.0.1", 8080}, [](Socket& peer) {
      while (Bytes data = peer.recv(1024)) peer.send_all(data);
    });
    server.serve_forever();
  });
}
