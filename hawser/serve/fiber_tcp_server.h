// FiberTcpServer: a stream server (TCP, or UNIX with Endpoint::unix_path) that runs every connection on a fiber of its
// own, so that a handler reads like a program for a single peer.
//
//   FiberTcpServer server({"127.0.0.1", 8080}, [](Socket& peer) {
//     while (Bytes data = peer.recv(1024)) peer.send_all(data);
//   });
//   server.serve_forever();
//
// The constructor binds and listens, so that address() tells the port (0 asks for any) before anything is served.
// serve_forever() accepts until request_stop(), then drains and cuts as ServerOptions says; with several loops the
// connections are dealt out over all of them. A handler that throws ends only its own request. A server serves once.
//
// The handler is shared by all connections and may run on several loops at once; a StreamHandler is made for each.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include <hawser/net/address.h>
#include <hawser/serve/request.h>
#include <hawser/serve/server_options.h>

namespace hawser {

// The part that does not depend on the handler's type.
class FiberServer {
 public:
  // Throws as Listener's constructor does.
  FiberServer(const Endpoint& endpoint, ServeConnection handler, ServerOptions options);
  FiberServer(const FiberServer&) = delete;
  FiberServer& operator=(const FiberServer&) = delete;
  // serve_forever() must have returned.
  ~FiberServer();

  // Serves until request_stop(); returns when the last conversation has ended. At once when the stop came before.
  // Throws Cancelled and DeadlineExceeded, having cut and seen out all conversations; std::logic_error outside run()
  // and when it is called twice.
  void serve_forever();

  // Asks the server to stop. Idempotent; from any thread, fiber, handler or signal handler; before, while and after it
  // serves. Takes effect in milliseconds.
  void request_stop() noexcept;
  [[nodiscard]] bool stopping() const noexcept;
  // Waits until serve_forever() has stopped. False when the timeout came first. Any thread or fiber. A handler that
  // calls it waits for itself until the drain is over and it is cut.
  bool wait_stopped(Timeout timeout = std::nullopt);

  // Where it listens.
  [[nodiscard]] const Address& address() const noexcept;
  // Conversations under way.
  [[nodiscard]] std::size_t connections() const noexcept;

 private:
  class State;
  std::unique_ptr<State> state_;
};

template <class Handler>
class FiberTcpServer;

template <ConnectionFunction Handler>
class FiberTcpServer<Handler> : public FiberServer {
 public:
  FiberTcpServer(const Endpoint& endpoint, Handler handler, ServerOptions options = {})
      : FiberServer(endpoint, ServeConnection(std::move(handler)), std::move(options)) {}
};

template <ConnectionClass Handler>
class FiberTcpServer<Handler> : public FiberServer {
 public:
  explicit FiberTcpServer(const Endpoint& endpoint, ServerOptions options = {})
      : FiberServer(endpoint, serve_by_class<Handler>(), std::move(options)) {}
};

template <class Handler>
FiberTcpServer(Endpoint, Handler) -> FiberTcpServer<Handler>;
template <class Handler>
FiberTcpServer(Endpoint, Handler, ServerOptions) -> FiberTcpServer<Handler>;

}  // namespace hawser
