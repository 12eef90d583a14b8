// Sockets inside one machine: a stream at a path, which the next start takes over when it was left behind, and
// datagrams at an abstract name, which leaves nothing in the file system.
//
//   unix_sockets PATH       echoes at PATH and at the abstract name @PATH
#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <string>
#include <tuple>

#include <hawser/hawser.h>

using namespace hawser;

int main(int argc, char** argv) {
  const std::string path = argc > 1 ? argv[1] : "/tmp/hawser-echo";
  return run([&] {
    try {
      // In use by a living server: an error. Left behind by a dead one: ours now.
      Listener listener(Endpoint::unix_path(path));
      Socket datagrams(AF_UNIX, SOCK_DGRAM);
      datagrams.bind(Address::unix_path("@" + path));
      fmt::print("listening on {} and {}\n", listener.address().str(), datagrams.sock_name().str());
      std::fflush(stdout);

      TaskGroup echo_datagrams;
      echo_datagrams.spawn([&] {
        for (;;) {
          const Datagram message = datagrams.recv_from();
          if (!message.from.is_unix()) continue;  // only who has bound a name of its own can be answered
          try {
            // Without waiting: a sender that does not read its answers loses some, and holds up nobody.
            datagrams.try_send_to(message.data, message.from);
          } catch (const SystemError& error) {  // it has gone meanwhile
            fmt::print(stderr, "unix_sockets: {}\n", error.what());
          }
        }
      });
      for (;;) {
        // The fiber goes on without its handle, and what it throws is logged.
        std::ignore = spawn([client = listener.accept()]() mutable {
          while (Bytes data = client.recv(1024)) client.send_all(data);
        });
      }
    } catch (const std::exception& error) {  // a path may have 107 bytes; the error says so
      fmt::print(stderr, "unix_sockets: {}\n", error.what());
      return 1;
    }
  });
}
