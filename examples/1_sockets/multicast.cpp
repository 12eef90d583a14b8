// One message for all who want it: with a text, says it to the group; without, joins the group and shows what is said
// there. Any number may listen on one machine.
//
//   multicast GROUP:PORT INTERFACE [TEXT]       multicast 239.255.0.1:5000 eth0 hello
#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <string>

#include <hawser/hawser.h>

using namespace hawser;

int main(int argc, char** argv) {
  if (argc < 3) {
    fmt::print(stderr, "usage: multicast GROUP:PORT INTERFACE [TEXT]\n");
    return 2;
  }
  try {
    const Address group = Address::parse(argv[1]);
    const std::string interface = argv[2];
    Socket sock(group.family(), SOCK_DGRAM);
    if (argc > 3) {
      sock.set(option::multicast_interface, InterfaceName{interface});
      sock.set(option::multicast_hops, 1);  // not beyond this network
      sock.send_to(argv[3], group);
      return 0;
    }
    sock.set(option::reuse_address, true);  // others may listen at the same port
    sock.bind(group);
    sock.join_group(group, interface);
    fmt::print("listening on {}\n", group.str());
    for (;;) {
      std::fflush(stdout);
      const Datagram said = sock.recv_from();
      fmt::print("{}: {}\n", said.from.host(), said.data.view());
    }
  } catch (const std::exception& error) {
    fmt::print(stderr, "multicast: {}\n", error.what());
    return 1;
  }
}
