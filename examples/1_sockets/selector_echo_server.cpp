// An echo server without fibers: one thread, one Selector, and for each client what still has to be written. Reading
// and writing are separate: a client that does not read its answers is watched for writing, and not read any further.
//
//   selector_echo_server [PORT [select|poll|epoll]]
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

#include <hawser/hawser.h>

using namespace hawser;

struct Client {
  Socket socket;
  std::string unsent;
};

// False when the client has left.
bool serve(Selector& selector, Client& client, Events events) {
  if (has(events, Events::read)) {
    const auto data = client.socket.try_recv(64 * 1024);  // nothing: a false alarm; empty: the end
    if (data && data->empty()) return false;
    if (data) client.unsent += data->view();
  }
  if (!client.unsent.empty()) client.unsent.erase(0, client.socket.try_send(client.unsent).value_or(0));
  selector.modify(client.socket, client.unsent.empty() ? Events::read : Events::write);
  return true;
}

int main(int argc, char** argv) {
  const std::string kind = argc > 2 ? argv[2] : "epoll";
  Selector selector(kind == "select" ? SelectorKind::select
                    : kind == "poll" ? SelectorKind::poll
                                     : SelectorKind::epoll);
  Listener listener({"127.0.0.1", argc > 1 ? std::atoi(argv[1]) : 8080});
  selector.register_fd(listener, Events::read);
  fmt::print("listening on {} by {}\n", listener.address().str(), kind);
  std::fflush(stdout);
  std::map<int, Client> clients;
  for (;;) {
    for (const auto& [key, events] : selector.select()) {
      if (key->fd == listener.fileno()) {
        Socket socket = listener.accept();
        const int number = socket.fileno();
        selector.register_fd(number, Events::read);
        clients[number] = {.socket = std::move(socket), .unsent = {}};
        continue;
      }
      bool stays = false;
      try {
        stays = serve(selector, clients.at(key->fd), events);
      } catch (const SystemError&) {  // reset: only this client is gone
      }
      if (!stays) {
        selector.unregister(key->fd);
        clients.erase(key->fd);
      }
    }
  }
}
