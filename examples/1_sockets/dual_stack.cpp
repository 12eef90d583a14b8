// One server for IPv4 and IPv6. A listener on the IPv6 address "::" hears every IPv6 address of this machine, and with
// dual_stack (IPV6_V6ONLY off) the IPv4 ones too: who comes over IPv4 has an address like ::ffff:192.0.2.1 there.
//
//   dual_stack [PORT]       then: tcp_client 127.0.0.1:PORT, and tcp_client [::1]:PORT
#include <fmt/format.h>

#include <cstdio>
#include <exception>

#include <hawser/hawser.h>

using namespace hawser;

void tell_how_it_came(Socket& peer) {
  const Address from = peer.peer_name();
  peer.send_all(fmt::format("you came over {} from {}\n", from.is_v4_mapped() ? "IPv4" : "IPv6", from.host()));
  while (peer.recv(1024)) continue;  // until it has finished, too
}

int main(int argc, char** argv) {
  try {
    return run([&] {
      const Endpoint everywhere("::", argc > 1 ? argv[1] : "8080");
      FiberTcpServer server(everywhere, tell_how_it_came, {.listen = {.dual_stack = true}});
      fmt::print("listening on {}\n", server.address().str());
      std::fflush(stdout);
      server.serve_forever();
    });
  } catch (const std::exception& error) {  // a kernel without IPv6, for example
    fmt::print(stderr, "dual_stack: {}\n", error.what());
    return 1;
  }
}
