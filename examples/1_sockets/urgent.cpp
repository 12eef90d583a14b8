// Urgent data: TCP may mark one byte of its stream, and the other side hears of the mark before it comes to it. With
// SO_OOBINLINE the byte is read in its place; without, it is left out, and is gone if nobody asks for it.
//
//   urgent PORT            hears one conversation
//   urgent HOST:PORT       sends some text, an urgent byte, and more text
#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <string>

#include <hawser/hawser.h>

using namespace hawser;

void hear(const std::string& port) {
  Listener listener({"127.0.0.1", port});
  listener.socket().set(option::oob_inline, true);  // handed on to what is accepted: set later, it may be too late
  fmt::print("listening on {}\n", listener.address().str());
  std::fflush(stdout);
  Socket peer = listener.accept();
  Selector selector;
  selector.register_fd(peer, Events::read);
  for (;;) {
    selector.select();  // until something has come: only then at_mark() can tell
    const bool urgent = peer.at_mark();
    const Bytes data = peer.recv(urgent ? 1 : 1024);  // stops short before the mark by itself
    if (!data) return;
    fmt::print("{}: {}\n", urgent ? "urgent" : "text", data.view());
    std::fflush(stdout);
  }
}

void say(const std::string& where) {
  Socket sock = connect(Endpoint::parse(where));
  sock.send_all("one thing after another");
  sock.send_urgent('!');
  sock.send_all("and so on");
}

int main(int argc, char** argv) {
  const std::string where = argc > 1 ? argv[1] : "8080";
  try {
    where.contains(':') ? say(where) : hear(where);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "urgent: {}\n", error.what());
    return 1;
  }
}
