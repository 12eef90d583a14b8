// One message for everybody on a network, wanted or not: with a text, says it to the network's broadcast address;
// without, hears what is said there.
//
//   broadcast ADDRESS:PORT [TEXT]       broadcast 192.168.1.255:5000 hello
#include <fmt/format.h>

#include <cstdio>
#include <exception>

#include <hawser/hawser.h>

using namespace hawser;

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: broadcast ADDRESS:PORT [TEXT]\n");
    return 2;
  }
  try {
    const Address everybody = Address::parse(argv[1]);
    Socket sock(AF_INET, SOCK_DGRAM);
    if (argc > 2) {
      // Nobody disturbs a network by mistake: without this, sending to it is "Permission denied".
      sock.set(option::broadcast, true);
      sock.send_to(argv[2], everybody);
      return 0;
    }
    sock.set(option::reuse_address, true);  // others may listen at the same port
    sock.bind(everybody);
    fmt::print("listening on {}\n", everybody.str());
    for (;;) {
      std::fflush(stdout);
      const Datagram said = sock.recv_from();
      fmt::print("{}: {}\n", said.from.host(), said.data.view());
    }
  } catch (const std::exception& error) {
    fmt::print(stderr, "broadcast: {}\n", error.what());
    return 1;
  }
}
