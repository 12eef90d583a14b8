// The same echo in five servers: one client at a time, a thread, a process or a fiber for each, and one thread that
// watches all of them. The handler is the same; only the server's name changes.
//
//   echo_servers one|threads|processes|fibers|selector [PORT]       then, from anywhere: nc 127.0.0.1 PORT
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <map>
#include <string>

#include <hawser/hawser.h>

using namespace hawser;

bool echo_once(Socket& peer) {
  const Bytes data = peer.recv(1024);
  if (data) peer.send_all(data);
  return !data.empty();
}

void echo(Socket& peer) {
  while (echo_once(peer)) {
  }
}

Server* g_server = nullptr;

void serve(Server&& server) {
  g_server = &server;
  for (const int number : {SIGINT, SIGTERM}) std::signal(number, [](int) { g_server->request_stop(); });
  std::cout << "listening on " << server.address().str() << std::endl;
  server.serve_forever();
  std::cout << "stopped" << std::endl;
}

void serve_selected(const Endpoint& where) {
  Listener listener(where);
  std::map<int, Socket> peers;
  Selector selector;
  selector.register_fd(listener, Events::read);
  std::cout << "listening on " << listener.address().str() << std::endl;
  for (;;) {
    for (const auto& [key, events] : selector.select()) {
      if (key->fd == listener.fileno()) {
        Socket peer = listener.accept();
        selector.register_fd(peer, Events::read);
        peers.emplace(peer.fileno(), std::move(peer));
      } else if (!echo_once(peers.at(key->fd))) {
        selector.unregister(key->fd);
        peers.erase(key->fd);
      }
    }
  }
}

int main(int argc, char** argv) {
  const std::string form = argc > 1 ? argv[1] : "";
  const Endpoint where("127.0.0.1", argc > 2 ? std::atoi(argv[2]) : 9999);
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
}
