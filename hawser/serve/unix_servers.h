// UnixServer and UnixDatagramServer with their Threading, Forking and Fiber forms: as tcp_servers.h and udp_servers.h,
// at a path: UnixServer<Upper> server("/run/upper.sock"). "@name" is abstract (unix(7)). A path whose owner is gone is
// taken over, one that is in use is EADDRINUSE, and it is removed when the server stops.
#pragma once

#include <string_view>
#include <utility>

#include <hawser/serve/datagram_server.h>
#include <hawser/serve/stream_server.h>

namespace hawser {
namespace detail {

template <class Handler, Form kForm>
class UnixServerOf : public StreamServerOf<Handler, kForm> {
  using Base = StreamServerOf<Handler, kForm>;

 public:
  UnixServerOf(std::string_view path, Handler handler, ServerOptions options = {}) requires ConnectionFunction<Handler>
      : Base(Endpoint::unix_path(path), std::move(handler), std::move(options)) {}
  explicit UnixServerOf(std::string_view path, ServerOptions options = {}) requires ConnectionClass<Handler>
      : Base(Endpoint::unix_path(path), std::move(options)) {}
  using Base::Base;
};

template <class Handler, Form kForm>
class UnixDatagramServerOf : public DatagramServerOf<Handler, kForm> {
  using Base = DatagramServerOf<Handler, kForm>;

 public:
  UnixDatagramServerOf(std::string_view path, Handler handler,
                       DatagramServerOptions options = {}) requires DatagramFunction<Handler>
      : Base(Endpoint::unix_path(path), std::move(handler), std::move(options)) {}
  explicit UnixDatagramServerOf(std::string_view path,
                                DatagramServerOptions options = {}) requires DatagramClass<Handler>
      : Base(Endpoint::unix_path(path), std::move(options)) {}
  using Base::Base;
};

}  // namespace detail

template <class Handler>
class UnixServer : public detail::UnixServerOf<Handler, Form::one_at_a_time> {
 public:
  using detail::UnixServerOf<Handler, Form::one_at_a_time>::UnixServerOf;
  ~UnixServer() override { this->server_close(); }
};
template <class Handler>
UnixServer(std::string_view, Handler, ServerOptions = {}) -> UnixServer<Handler>;
template <class Handler>
UnixServer(Listener, Handler, ServerOptions = {}) -> UnixServer<Handler>;

template <class Handler>
class ThreadingUnixServer : public detail::UnixServerOf<Handler, Form::threading> {
 public:
  using detail::UnixServerOf<Handler, Form::threading>::UnixServerOf;
  ~ThreadingUnixServer() override { this->server_close(); }
};
template <class Handler>
ThreadingUnixServer(std::string_view, Handler, ServerOptions = {}) -> ThreadingUnixServer<Handler>;
template <class Handler>
ThreadingUnixServer(Listener, Handler, ServerOptions = {}) -> ThreadingUnixServer<Handler>;

template <class Handler>
class ForkingUnixServer : public detail::UnixServerOf<Handler, Form::forking> {
 public:
  using detail::UnixServerOf<Handler, Form::forking>::UnixServerOf;
  ~ForkingUnixServer() override { this->server_close(); }
};
template <class Handler>
ForkingUnixServer(std::string_view, Handler, ServerOptions = {}) -> ForkingUnixServer<Handler>;
template <class Handler>
ForkingUnixServer(Listener, Handler, ServerOptions = {}) -> ForkingUnixServer<Handler>;

template <class Handler>
class FiberUnixServer : public detail::UnixServerOf<Handler, Form::fiber> {
 public:
  using detail::UnixServerOf<Handler, Form::fiber>::UnixServerOf;
  ~FiberUnixServer() override { this->server_close(); }
};
template <class Handler>
FiberUnixServer(std::string_view, Handler, ServerOptions = {}) -> FiberUnixServer<Handler>;
template <class Handler>
FiberUnixServer(Listener, Handler, ServerOptions = {}) -> FiberUnixServer<Handler>;

template <class Handler>
class UnixDatagramServer : public detail::UnixDatagramServerOf<Handler, Form::one_at_a_time> {
 public:
  using detail::UnixDatagramServerOf<Handler, Form::one_at_a_time>::UnixDatagramServerOf;
  ~UnixDatagramServer() override { this->server_close(); }
};
template <class Handler>
UnixDatagramServer(std::string_view, Handler, DatagramServerOptions = {}) -> UnixDatagramServer<Handler>;
template <class Handler>
UnixDatagramServer(Socket, Handler, DatagramServerOptions = {}) -> UnixDatagramServer<Handler>;

template <class Handler>
class ThreadingUnixDatagramServer : public detail::UnixDatagramServerOf<Handler, Form::threading> {
 public:
  using detail::UnixDatagramServerOf<Handler, Form::threading>::UnixDatagramServerOf;
  ~ThreadingUnixDatagramServer() override { this->server_close(); }
};
template <class Handler>
ThreadingUnixDatagramServer(std::string_view, Handler, DatagramServerOptions = {})
    -> ThreadingUnixDatagramServer<Handler>;
template <class Handler>
ThreadingUnixDatagramServer(Socket, Handler, DatagramServerOptions = {}) -> ThreadingUnixDatagramServer<Handler>;

template <class Handler>
class ForkingUnixDatagramServer : public detail::UnixDatagramServerOf<Handler, Form::forking> {
 public:
  using detail::UnixDatagramServerOf<Handler, Form::forking>::UnixDatagramServerOf;
  ~ForkingUnixDatagramServer() override { this->server_close(); }
};
template <class Handler>
ForkingUnixDatagramServer(std::string_view, Handler, DatagramServerOptions = {}) -> ForkingUnixDatagramServer<Handler>;
template <class Handler>
ForkingUnixDatagramServer(Socket, Handler, DatagramServerOptions = {}) -> ForkingUnixDatagramServer<Handler>;

template <class Handler>
class FiberUnixDatagramServer : public detail::UnixDatagramServerOf<Handler, Form::fiber> {
 public:
  using detail::UnixDatagramServerOf<Handler, Form::fiber>::UnixDatagramServerOf;
  ~FiberUnixDatagramServer() override { this->server_close(); }
};
template <class Handler>
FiberUnixDatagramServer(std::string_view, Handler, DatagramServerOptions = {}) -> FiberUnixDatagramServer<Handler>;
template <class Handler>
FiberUnixDatagramServer(Socket, Handler, DatagramServerOptions = {}) -> FiberUnixDatagramServer<Handler>;

}  // namespace hawser
