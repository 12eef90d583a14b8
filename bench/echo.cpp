// An echo server on the library, one fiber a connection: what the echo benchmarks measure.
#include <hawser/base/bytes.h>

#include "server_program.h"

int main(int argc, char** argv) {
  return serve_connections(argc, argv, "bench_echo", [](hawser::Socket& peer) {
    while (hawser::Bytes data = peer.recv(64 * 1024)) peer.send_all(data);
  });
}
