// UdpServer, ThreadingUdpServer, ForkingUdpServer, FiberUdpServer: a request is one datagram, handled one at a time, on
// a thread, in a process or on a fiber each.
//
//   FiberUdpServer server({"127.0.0.1", 37}, [](DatagramRequest& request) { request.reply(clock_text()); });
//   server.serve_forever();
//
// Arguments: an Endpoint, or a datagram Socket that is bound; the handler, when it is a function;
// DatagramServerOptions. What a server can do is told in server.h, what a handler may be in datagram_server.h.
#pragma once

#include <hawser/serve/datagram_server.h>

namespace hawser {

template <class Handler>
class UdpServer : public detail::DatagramServerOf<Handler, Form::one_at_a_time> {
 public:
  using detail::DatagramServerOf<Handler, Form::one_at_a_time>::DatagramServerOf;
  ~UdpServer() override { this->server_close(); }
};
template <class Handler>
UdpServer(Endpoint, Handler, DatagramServerOptions = {}) -> UdpServer<Handler>;
template <class Handler>
UdpServer(Socket, Handler, DatagramServerOptions = {}) -> UdpServer<Handler>;

template <class Handler>
class ThreadingUdpServer : public detail::DatagramServerOf<Handler, Form::threading> {
 public:
  using detail::DatagramServerOf<Handler, Form::threading>::DatagramServerOf;
  ~ThreadingUdpServer() override { this->server_close(); }
};
template <class Handler>
ThreadingUdpServer(Endpoint, Handler, DatagramServerOptions = {}) -> ThreadingUdpServer<Handler>;
template <class Handler>
ThreadingUdpServer(Socket, Handler, DatagramServerOptions = {}) -> ThreadingUdpServer<Handler>;

template <class Handler>
class ForkingUdpServer : public detail::DatagramServerOf<Handler, Form::forking> {
 public:
  using detail::DatagramServerOf<Handler, Form::forking>::DatagramServerOf;
  ~ForkingUdpServer() override { this->server_close(); }
};
template <class Handler>
ForkingUdpServer(Endpoint, Handler, DatagramServerOptions = {}) -> ForkingUdpServer<Handler>;
template <class Handler>
ForkingUdpServer(Socket, Handler, DatagramServerOptions = {}) -> ForkingUdpServer<Handler>;

template <class Handler>
class FiberUdpServer : public detail::DatagramServerOf<Handler, Form::fiber> {
 public:
  using detail::DatagramServerOf<Handler, Form::fiber>::DatagramServerOf;
  ~FiberUdpServer() override { this->server_close(); }
};
template <class Handler>
FiberUdpServer(Endpoint, Handler, DatagramServerOptions = {}) -> FiberUdpServer<Handler>;
template <class Handler>
FiberUdpServer(Socket, Handler, DatagramServerOptions = {}) -> FiberUdpServer<Handler>;

}  // namespace hawser
