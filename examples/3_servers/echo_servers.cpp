// The same echo in five servers: one client at a time, a thread, a process or a fiber for each, and one thread that
// watches all of them. Four have the same handler, and only the server's name changes; the fifth shows what the names
// spare you.
//
//   echo_servers one|threads|processes|fibers|selector [PORT]       then, from anywhere: nc 127.0.0.1 PORT
#include <chrono>
#include <csignal>
#include <exception>
#include <iostream>
#include <map>
#include <optional>
#include <string>

#include <hawser/hawser.h>

using namespace hawser;
using namespace std::chrono_literals;

void echo(Socket& peer) {
  while (Bytes data = peer.recv(1024)) peer.send_all(data);
}

Server* g_server = nullptr;

void serve(Server&& server) {
  g_server = &server;
  for (const int number : {SIGINT, SIGTERM}) std::signal(number, [](int) { g_server->request_stop(); });
  std::cout << "listening on " << server.address().str() << std::endl;
  server.serve_forever();
  std::cout << "stopped" << std::endl;
}

std::optional<Socket> try_accept(Listener& listener) {
  try {
    return listener.accept(0s);
  } catch (const SocketTimeout&) {
    return std::nullopt;
  }
}

struct Watched {
  Socket socket;
  std::string unsent;
};

// Waits for nobody: what this client does not take yet is kept, and it is not read further. False when it has left.
bool echo_some(Selector& selector, Watched& peer, Events events) try {
  if (has(events, Events::read)) {
    const auto data = peer.socket.try_recv(1024);
    if (data && data->empty()) return false;
    if (data) peer.unsent = data->view();
  }
  if (!peer.unsent.empty()) peer.unsent.erase(0, peer.socket.try_send(peer.unsent).value_or(0));
  selector.modify(peer.socket, peer.unsent.empty() ? Events::read : Events::write);
  return true;
} catch (const SystemError&) {  // reset
  return false;
}

void serve_selected(const Endpoint& where) {
  Listener listener(where);
  std::map<int, Watched> peers;
  Selector selector;
  selector.register_fd(listener, Events::read);
  std::cout << "listening on " << listener.address().str() << std::endl;
  for (Timeout pause;;) {
    const auto ready = selector.select(pause);
    if (pause) selector.register_fd(listener, Events::read);
    pause.reset();
    for (const auto& [key, events] : ready) {
      if (key->fd != listener.fileno()) {
        if (echo_some(selector, peers.at(key->fd), events)) continue;
        selector.unregister(key->fd);
        peers.erase(key->fd);
      } else if (auto peer = try_accept(listener)) {
        selector.register_fd(*peer, Events::read);
        peers[peer->fileno()].socket = std::move(*peer);
      } else {  // out of descriptors: the listener rests until somebody may have left
        selector.unregister(listener);
        pause = 1s;
      }
    }
  }
}

int main(int argc, char** argv) try {
  const std::string form = argc > 1 ? argv[1] : "";
  const Endpoint where("127.0.0.1", argc > 2 ? argv[2] : "9999");
  if (form == "one") {
    serve(TcpServer(where, echo));
  } else if (form == "threads") {
    serve(ThreadingTcpServer(where, echo));
  } else if (form == "processes") {
    serve(ForkingTcpServer(where, echo));
  } else if (form == "fibers") {
    run([&] { serve(FiberTcpServer(where, echo)); });
  } else if (form == "selector") {
    serve_selected(where);
  } else {
    std::cerr << "usage: echo_servers one|threads|processes|fibers|selector [PORT]\n";
    return 2;
  }
} catch (const std::exception& error) {
  std::cerr << "echo_servers: " << error.what() << "\n";
  return 1;
}
