// An echo server on the library, one fiber a connection: what the echo benchmarks measure.
#include <sys/resource.h>

#include <cstdio>

#include <hawser/base/bytes.h>
#include <hawser/fiber/run.h>
#include <hawser/serve/fiber_tcp_server.h>

#include "arguments.h"
#include "engine_choice.h"

using namespace hawser;

int main(int argc, char** argv) {
  const Arguments arguments(argc, argv, "bench_echo PORT [--engine epoll|uring] [--loops N]", {"engine", "loops"});
  const auto port = static_cast<int>(arguments.number_at(0));
  ask_for_engine(arguments);
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  return run({.loops = static_cast<int>(arguments.number("loops", 1))}, [&] {
    check_engine(arguments);
    ServerOptions options;
    options.max_connections = 1'000'000;
    options.listen.backlog = 4096;
    FiberTcpServer server(
        {"127.0.0.1", port},
        [](Socket& peer) {
          while (Bytes data = peer.recv(64 * 1024)) peer.send_all(data);
        },
        options);
    server.serve_forever();
    return 0;
  });
}
