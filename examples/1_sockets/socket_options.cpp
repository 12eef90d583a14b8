// Options by name: what is set can be read back, and an error says which option it was. Then the one that every server
// needs: SO_REUSEADDR, to start again while connections of its former life are still remembered (TIME_WAIT).
#include <fmt/format.h>

#include <chrono>

#include <hawser/hawser.h>

using namespace hawser;
using namespace std::chrono_literals;

int main() {
  Socket sock(AF_INET);
  sock.set_keep_alive({.idle = 30s, .interval = 5s, .count = 3});
  sock.set(option::receive_buffer, 32768);
  fmt::print("keep-alive after {}, {} probes\n", sock.get(option::keep_alive_idle).count(),
             sock.get(option::keep_alive_count));
  fmt::print("receive buffer {} bytes\n", sock.get(option::receive_buffer));
  try {
    sock.set(option::bind_to_device, "no-such-device");
  } catch (const SystemError& error) {
    fmt::print("{}\n", error.what());
  }

  // The side that closes first has to remember the connection for a minute.
  Listener server({"127.0.0.1", 0});
  const Address address = server.address();
  Socket client = connect(address);
  server.accept().close();
  client.close();
  server.close();
  try {
    Listener again(address, {.reuse_address = false});
    fmt::print("started again without SO_REUSEADDR\n");
  } catch (const SystemError& error) {
    fmt::print("without SO_REUSEADDR: {}\n", error.code().message());
  }
  Listener again(address);  // on by default
  fmt::print("with SO_REUSEADDR: started again\n");
}
