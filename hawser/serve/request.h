// What a server does with one connection, whoever runs it: verify, handle (with setup and finish), shut down, close.
//
// A RequestProcessor is shared by all conversations of a server and called by several at once.
#pragma once

#include <concepts>
#include <functional>
#include <type_traits>
#include <utility>

#include <hawser/net/socket.h>
#include <hawser/serve/server_options.h>
#include <hawser/serve/stream_handler.h>

namespace hawser {

// Something that serves one peer: a function or object called with the socket, or a StreamHandler to be made for it.
template <class T>
concept ConnectionFunction = std::invocable<T&, Socket&>;
template <class T>
concept ConnectionClass = std::derived_from<T, StreamHandler> && std::default_initializable<T>;

using ServeConnection = std::function<void(Socket& peer)>;

template <ConnectionClass Handler>
ServeConnection serve_by_class() {
  return [](Socket& peer) { Handler().serve(peer); };
}

class RequestProcessor {
 public:
  RequestProcessor(ServeConnection handler, ServerOptions options)
      : handler_(std::move(handler)), options_(std::move(options)) {}

  // Runs the whole conversation within its limits and closes the socket. Never throws: errors end in handle_error.
  void run(Socket& peer) const noexcept;

  [[nodiscard]] const ServerOptions& options() const noexcept { return options_; }

 private:
  void process(Socket& peer) const;
  void report(std::exception_ptr error, Socket& peer) const noexcept;

  ServeConnection handler_;
  ServerOptions options_;
};

// True for errors that peers cause every day and that tell the owner of a server nothing: the peer reset or left the
// connection, a timeout or deadline ended it, the server's stop cut it.
[[nodiscard]] bool is_everyday_error(const std::exception_ptr& error) noexcept;

}  // namespace hawser
