// What all servers have in common: limits and hooks, whatever runs the handlers (fibers, threads, processes, one at a
// time).
//
// Hooks are called in the context that runs the handler, possibly several at once. One that throws ends only its own
// request: an error of verify_request goes to handle_error, an error of handle_error to the log.
#pragma once

#include <cstddef>
#include <exception>
#include <functional>
#include <string_view>

#include <hawser/base/clock.h>
#include <hawser/net/listener.h>
#include <hawser/net/socket.h>

namespace hawser {

struct ServerOptions {
  ListenerOptions listen{};

  // Conversations at once; when there are as many, no more is accepted and peers wait in the backlog.
  std::size_t max_connections = 10'000;
  // How long a conversation may wait for its peer without a byte moving, either way: a SocketTimeout in the handler.
  Timeout idle_timeout{};
  // How long a conversation may last in all: a Deadline scope around its handler.
  Timeout request_deadline{};
  // How long a stopping server lets conversations go on before it cuts them.
  Duration drain{0};

  // Called before the handler; false: the connection is closed.
  std::function<bool(Socket& peer)> verify_request{};
  // Called with what a handler, or verify_request, has thrown; the connection is closed afterwards. By default errors
  // are logged, except those of every day: a peer that reset the connection, a timeout, a cut at the server's stop.
  std::function<void(std::exception_ptr error, Socket& peer)> handle_error{};
};

}  // namespace hawser
