// Two people talk: one listens, the other calls. Both may type at any time; whoever types 886 ("bye bye") ends it.
//
//   talk PORT          waits for a caller
//   talk HOST:PORT     calls
#include <fmt/format.h>

#include <cstdio>
#include <iostream>
#include <string>

#include <hawser/hawser.h>

using namespace hawser;

namespace {

Socket call_or_wait(const std::string& where) {
  if (where.find(':') != std::string::npos) return connect(Endpoint::parse(where));
  Listener listener({"127.0.0.1", std::stoi(where)});
  fmt::print("listening on {}\n", listener.address().str());
  std::fflush(stdout);
  return listener.accept();
}

void talk(Socket& peer) {
  // One fiber listens to the peer while this one listens to the keyboard.
  TaskGroup hearing;  // no fiber outlives it: leaving the scope cancels and waits
  hearing.spawn([&peer] {
    BufferedReader reader(peer);
    while (auto line = reader.read_line()) {
      fmt::print("peer: {}", *line);
      std::fflush(stdout);
      if (*line == "886\n") break;
    }
    fmt::print("the peer has left\n");
    std::fflush(stdout);
    peer.close();  // what is typed now goes nowhere
  });
  std::string line;
  // offload: the keyboard keeps a thread of the pool waiting, and not the loop.
  while (!peer.closed() && offload([&] { return static_cast<bool>(std::getline(std::cin, line)); })) {
    if (peer.closed()) break;
    peer.send_all(line + "\n");
    if (line == "886") break;
  }
}

}  // namespace

int main(int argc, char** argv) {
  return run([&] {
    Socket peer = call_or_wait(argc > 1 ? argv[1] : "8080");
    talk(peer);
    return 0;
  });
}
