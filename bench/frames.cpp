// A server of framed messages on the library: the answer to a frame is a frame with the same body.
#include <cstdio>

#include <hawser/fiber/run.h>
#include <hawser/serve/fiber_tcp_server.h>
#include <hawser/wire/frame_stream.h>

#include "arguments.h"
#include "engine_choice.h"

using namespace hawser;

int main(int argc, char** argv) {
  const Arguments arguments(argc, argv, "bench_frames PORT [--engine epoll|uring] [--loops N]", {"engine", "loops"});
  const auto port = static_cast<int>(arguments.number_at(0));
  ask_for_engine(arguments);
  return run({.loops = static_cast<int>(arguments.number("loops", 1))}, [&] {
    check_engine(arguments);
    ServerOptions options;
    options.max_connections = 100'000;
    options.listen.backlog = 4096;
    FiberTcpServer server(
        {"127.0.0.1", port},
        [](Socket& peer) {
          FrameStream frames(peer);
          while (const Frame request = frames.receive()) {
            const Bytes body = frames.read_body_all(16 << 20);
            frames.send({{"size", body.size()}}, body);
          }
        },
        options);
    server.serve_forever();
    return 0;
  });
}
