// libuv, one loop.
#include "../listening.h"

#include <uv.h>

#include <cstring>
#include <string>

namespace {

char shared_buffer[64 * 1024];

void give_buffer(uv_handle_t*, std::size_t, uv_buf_t* buffer) {
  *buffer = uv_buf_init(shared_buffer, sizeof shared_buffer);
}

void forget(uv_handle_t* handle) { delete reinterpret_cast<uv_tcp_t*>(handle); }

struct Rest {
  uv_write_t request{};
  std::string bytes;
};

void received(uv_stream_t* peer, ssize_t got, const uv_buf_t* buffer) {
  if (got < 0) return uv_close(reinterpret_cast<uv_handle_t*>(peer), forget);
  uv_buf_t answer = uv_buf_init(buffer->base, static_cast<unsigned>(got));
  const int sent = uv_try_write(peer, &answer, 1);
  const std::size_t done = sent > 0 ? static_cast<std::size_t>(sent) : 0;
  if (done == static_cast<std::size_t>(got)) return;
  auto* rest = new Rest{{}, std::string(buffer->base + done, static_cast<std::size_t>(got) - done)};
  rest->request.data = rest;
  answer = uv_buf_init(rest->bytes.data(), static_cast<unsigned>(rest->bytes.size()));
  uv_write(&rest->request, peer, &answer, 1,
           [](uv_write_t* request, int) { delete static_cast<Rest*>(request->data); });
}

void connected(uv_stream_t* listener, int status) {
  if (status < 0) return;
  auto* peer = new uv_tcp_t;
  uv_tcp_init(listener->loop, peer);
  auto* stream = reinterpret_cast<uv_stream_t*>(peer);
  if (uv_accept(listener, stream) == 0) {
    uv_tcp_nodelay(peer, 1);
    uv_read_start(stream, give_buffer, received);
  } else {
    uv_close(reinterpret_cast<uv_handle_t*>(peer), forget);
  }
}

}  // namespace

int main(int argc, char** argv) {
  uv_loop_t* loop = uv_default_loop();
  uv_tcp_t listener;
  uv_tcp_init(loop, &listener);
  uv_tcp_open(&listener, listening_socket(port_of(argc, argv), SOCK_NONBLOCK));
  if (uv_listen(reinterpret_cast<uv_stream_t*>(&listener), 4096, connected) != 0) return 1;
  return uv_run(loop, UV_RUN_DEFAULT);
}
