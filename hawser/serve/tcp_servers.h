// TcpServer, ThreadingTcpServer, ForkingTcpServer, FiberTcpServer: the same handler one client at a time, on a thread,
// in a process, or on a fiber for each connection; only the server's name changes.
//
//   FiberTcpServer server({"127.0.0.1", 8080}, [](Socket& peer) {
//     while (Bytes data = peer.recv(1024)) peer.send_all(data);
//   });
//   server.serve_forever();
//
//   ThreadingTcpServer<Upper> another({"127.0.0.1", 9999});      // Upper is a StreamHandler
//
// Arguments: an Endpoint, or a Listener that exists; the handler, when it is a function; ServerOptions. What a server
// can do is told in server.h, what a handler may be in stream_server.h. A FiberTcpServer must be served inside run().
#pragma once

#include <hawser/serve/stream_server.h>

namespace hawser {

template <class Handler>
class TcpServer : public detail::StreamServerOf<Handler, Form::one_at_a_time> {
 public:
  using detail::StreamServerOf<Handler, Form::one_at_a_time>::StreamServerOf;
  ~TcpServer() override { this->server_close(); }
};
template <class Handler>
TcpServer(Endpoint, Handler, ServerOptions = {}) -> TcpServer<Handler>;
template <class Handler>
TcpServer(Listener, Handler, ServerOptions = {}) -> TcpServer<Handler>;

template <class Handler>
class ThreadingTcpServer : public detail::StreamServerOf<Handler, Form::threading> {
 public:
  using detail::StreamServerOf<Handler, Form::threading>::StreamServerOf;
  ~ThreadingTcpServer() override { this->server_close(); }
};
template <class Handler>
ThreadingTcpServer(Endpoint, Handler, ServerOptions = {}) -> ThreadingTcpServer<Handler>;
template <class Handler>
ThreadingTcpServer(Listener, Handler, ServerOptions = {}) -> ThreadingTcpServer<Handler>;

template <class Handler>
class ForkingTcpServer : public detail::StreamServerOf<Handler, Form::forking> {
 public:
  using detail::StreamServerOf<Handler, Form::forking>::StreamServerOf;
  ~ForkingTcpServer() override { this->server_close(); }
};
template <class Handler>
ForkingTcpServer(Endpoint, Handler, ServerOptions = {}) -> ForkingTcpServer<Handler>;
template <class Handler>
ForkingTcpServer(Listener, Handler, ServerOptions = {}) -> ForkingTcpServer<Handler>;

template <class Handler>
class FiberTcpServer : public detail::StreamServerOf<Handler, Form::fiber> {
 public:
  using detail::StreamServerOf<Handler, Form::fiber>::StreamServerOf;
  ~FiberTcpServer() override { this->server_close(); }
};
template <class Handler>
FiberTcpServer(Endpoint, Handler, ServerOptions = {}) -> FiberTcpServer<Handler>;
template <class Handler>
FiberTcpServer(Listener, Handler, ServerOptions = {}) -> FiberTcpServer<Handler>;

}  // namespace hawser
