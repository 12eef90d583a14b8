#include <cstdlib>

#include <hawser/fiber/run.h>
#include <hawser/net/connect.h>
#include <hawser/net/socket.h>

using namespace hawser;

// Sends a greeting to the given port and ends well when it comes back.
int main(int, char** argv) {
  return run([&] {
    Socket sock = connect({"127.0.0.1", static_cast<std::uint16_t>(std::atoi(argv[1]))});
    sock.send_all("hello");
    return sock.recv(1024) == "hello" ? 0 : 1;
  });
}
