// A server of framed messages on the library: the answer to a frame is a frame with the same body.
#include <hawser/wire/frame_stream.h>

#include "server_program.h"

int main(int argc, char** argv) {
  return serve_connections(argc, argv, "bench_frames", [](hawser::Socket& peer) {
    hawser::FrameStream frames(peer);
    while (const hawser::Frame request = frames.receive()) {
      const hawser::Bytes body = frames.read_body_all(16 << 20);
      frames.send({{"size", body.size()}}, body);
    }
  });
}
