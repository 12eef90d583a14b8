// An echo server without fibers: one thread, one Selector, and for each client what still has to be written. Reading
// and writing are separate: a client that does not read its answers is watched for writing, and not read any further.
//
//   selector_echo_server [PORT [select|poll|epoll]]
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <exception>
#include <map>
#include <string>

#include <hawser/hawser.h>

using namespace hawser;
using namespace std::chrono_literals;

struct Client {
  Socket socket;
  std::string unsent;
};

// False when the client has left.
bool serve(Selector& selector, Client& client, Events events) try {
  if (has(events, Events::read)) {
    const auto data = client.socket.try_recv(64 * 1024);  // nothing: a false alarm; empty: the end
    if (data && data->empty()) return false;
    if (data) client.unsent += data->view();
  }
  if (!client.unsent.empty()) client.unsent.erase(0, client.socket.try_send(client.unsent).value_or(0));
  selector.modify(client.socket, client.unsent.empty() ? Events::read : Events::write);
  return true;
} catch (const SystemError&) {  // reset: only this client is gone
  return false;
}

// False when there is nobody to let in, or no descriptor left for one. Never waits: who else would free some?
bool let_in(Listener& listener, Selector& selector, std::map<int, Client>& clients) try {
  Socket socket = listener.accept(0s);
  const int number = socket.fileno();
  selector.register_fd(number, Events::read);
  clients[number] = {.socket = std::move(socket), .unsent = {}};
  return true;
} catch (const SocketTimeout&) {
  return false;
} catch (const std::invalid_argument&) {  // select(2) ends at 1024: that one is let go again
  return true;
}

int main(int argc, char** argv) try {
  const std::string kind = argc > 2 ? argv[2] : "epoll";
  Selector selector(kind == "select" ? SelectorKind::select
                    : kind == "poll" ? SelectorKind::poll
                                     : SelectorKind::epoll);
  Listener listener({"127.0.0.1", argc > 1 ? argv[1] : "8080"});
  selector.register_fd(listener, Events::read);
  fmt::print("listening on {} by {}\n", listener.address().str(), kind);
  std::fflush(stdout);
  std::map<int, Client> clients;
  for (Timeout pause;;) {
    const auto ready = selector.select(pause);
    if (pause) selector.register_fd(listener, Events::read);  // somebody may have left
    pause.reset();
    for (const auto& [key, events] : ready) {
      if (key->fd == listener.fileno()) {
        if (let_in(listener, selector, clients)) continue;
        selector.unregister(listener);  // else it would be reported again and again
        pause = 1s;
      } else if (!serve(selector, clients.at(key->fd), events)) {
        selector.unregister(key->fd);
        clients.erase(key->fd);
      }
    }
  }
} catch (const std::exception& error) {
  fmt::print(stderr, "selector_echo_server: {}\n", error.what());
  return 1;
}
