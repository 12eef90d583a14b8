// StreamServer: serves connections, over TCP or a UNIX path (Endpoint::unix_path), in any Form. What users name are
// TcpServer, ThreadingTcpServer and so on (tcp_servers.h, unix_servers.h), which only add the handler's type.
//
// A handler is a function called with the socket, or a StreamHandler to be made for each connection. It borrows the
// socket. The function, and hooks, may run on several threads and loops at once.
#pragma once

#include <concepts>
#include <string>
#include <utility>
#include <vector>

#include <hawser/net/address.h>
#include <hawser/net/listener.h>
#include <hawser/net/socket.h>
#include <hawser/serve/basic_server.h>
#include <hawser/serve/open_entrances.h>
#include <hawser/serve/stream_handler.h>

namespace hawser {

template <class T>
concept ConnectionFunction = std::invocable<T&, Socket&>;
template <class T>
concept ConnectionClass = std::derived_from<T, StreamHandler> && std::default_initializable<T>;

using ServeConnection = std::function<void(Socket& peer)>;

class StreamServer : public BasicServer<Socket> {
 public:
  // Throws as Listener's constructor does; std::invalid_argument for options that mean nothing.
  StreamServer(Form form, const Endpoint& endpoint, ServeConnection handler, ServerOptions options);
  // Serves on a listener that exists: one inherited from a service manager, say (systemd.h).
  StreamServer(Form form, Listener listener, ServeConnection handler, ServerOptions options);
  ~StreamServer() override;

  [[nodiscard]] const Address& address() const noexcept override { return listeners_.front().address(); }
  [[nodiscard]] int fileno() const noexcept override { return listeners_.front().fileno(); }

  void server_bind() override;
  void server_activate() override;

 protected:
  Socket get_request() override;
  void shutdown_request(Socket& peer) override;
  void close_request(Socket& peer) override;
  void limit_request(Socket& peer) override;
  void cut_request(Socket& peer) noexcept override;
  void leave_to_child(Socket& peer) noexcept override;
  void enter_child() noexcept override;
  void close_entrances() noexcept override;
  void open_entrances(std::size_t count) override;
  [[nodiscard]] std::string name_of(const Socket& peer) const override { return peer.peer(); }

 private:
  void note_entrances();

  const std::optional<Endpoint> endpoint_;
  std::vector<Listener> listeners_;          // one an entrance; closed before server_bind()
  std::vector<detail::OpenEntrance> noted_;  // those of them that are open
};

namespace detail {

template <class Handler>
ServeConnection connection_handler() {
  return [](Socket& peer) { Handler().serve(peer); };
}

// The constructors that TcpServer and the others share.
template <class Handler, Form kForm>
class StreamServerOf : public StreamServer {
 public:
  StreamServerOf(const Endpoint& endpoint, Handler handler,
                 ServerOptions options = {}) requires ConnectionFunction<Handler>
      : StreamServer(kForm, endpoint, ServeConnection(std::move(handler)), std::move(options)) {}
  StreamServerOf(Listener listener, Handler handler, ServerOptions options = {}) requires ConnectionFunction<Handler>
      : StreamServer(kForm, std::move(listener), ServeConnection(std::move(handler)), std::move(options)) {}
  explicit StreamServerOf(const Endpoint& endpoint, ServerOptions options = {}) requires ConnectionClass<Handler>
      : StreamServer(kForm, endpoint, connection_handler<Handler>(), std::move(options)) {}
  explicit StreamServerOf(Listener listener, ServerOptions options = {}) requires ConnectionClass<Handler>
      : StreamServer(kForm, std::move(listener), connection_handler<Handler>(), std::move(options)) {}
};

}  // namespace detail
}  // namespace hawser
