// Two people talk: one listens, the other calls. Both may type at any time; whoever types 886 ("bye bye") ends it.
//
//   talk PORT          waits for a caller
//   talk HOST:PORT     calls
#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <iostream>
#include <string>

#include <hawser/hawser.h>

using namespace hawser;

namespace {

void say(const std::string& text) {
  fmt::print("{}", text);
  std::fflush(stdout);
}

Socket call_or_wait(const std::string& where) {
  if (where.find(':') != std::string::npos) return connect(Endpoint::parse(where));
  Listener listener({"127.0.0.1", where});
  say("listening on " + listener.address().str() + "\n");
  return listener.accept();
}

void hear(Socket& peer) try {
  BufferedReader reader(peer);
  while (auto line = reader.read_line()) {
    say("peer: " + *line);
    if (*line == "886\n") break;
  }
  say("the peer has left\n");
} catch (const SystemError&) {  // a reset
  say("the peer has vanished\n");
  throw;
}

void talk(Socket& peer) {
  // One fiber listens to the peer while this one listens to the keyboard.
  TaskGroup hearing;  // no fiber outlives it: leaving the scope cancels and waits
  hearing.spawn([&peer] { hear(peer); });
  std::string line;
  // offload: the keyboard keeps a thread of the pool waiting, and not the loop.
  while (hearing.size() > 0 && offload([&] { return static_cast<bool>(std::getline(std::cin, line)); })) {
    if (hearing.size() == 0) break;  // what is typed now goes nowhere
    peer.send_all(line + "\n");
    if (line == "886") return;
  }
  if (hearing.size() == 0) hearing.join();  // rethrows what has ended it
}

}  // namespace

int main(int argc, char** argv) try {
  return run([&] {
    Socket peer = call_or_wait(argc > 1 ? argv[1] : "8080");
    talk(peer);
    return 0;
  });
} catch (const std::exception& error) {
  fmt::print(stderr, "talk: {}\n", error.what());
  return 1;
}
