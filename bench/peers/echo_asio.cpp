// Standalone Asio, C++20 coroutines, one thread.
#include "../listening.h"

#include <asio.hpp>

#include <memory>

namespace {

asio::awaitable<void> echo(asio::ip::tcp::socket peer) {
  constexpr std::size_t kSize = 64 * 1024;
  const std::unique_ptr<char[]> buffer(new char[kSize]);
  asio::error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  for (;;) {
    const std::size_t got = co_await peer.async_read_some(asio::buffer(buffer.get(), kSize), token);
    if (error) co_return;
    co_await asio::async_write(peer, asio::buffer(buffer.get(), got), token);
    if (error) co_return;
  }
}

asio::awaitable<void> accept(asio::ip::tcp::acceptor listener) {
  for (;;) {
    asio::ip::tcp::socket peer = co_await listener.async_accept(asio::use_awaitable);
    peer.set_option(asio::ip::tcp::no_delay(true));
    asio::co_spawn(listener.get_executor(), echo(std::move(peer)), asio::detached);
  }
}

}  // namespace

int main(int argc, char** argv) {
  asio::io_context context(1);
  asio::ip::tcp::acceptor listener(context, asio::ip::tcp::v4(), listening_socket(port_of(argc, argv)));
  asio::co_spawn(context, accept(std::move(listener)), asio::detached);
  context.run();
}
