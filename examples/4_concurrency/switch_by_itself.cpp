// Nobody yields here: a fiber that waits for a socket makes room for the others by itself.
#include <fmt/format.h>

#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>
#include <hawser/net/socket.h>

using namespace hawser;

void ask(Socket& sock) {
  for (int number = 1; number <= 3; ++number) {
    sock.send_all(fmt::format("{}", number));
    fmt::print("asked: what comes after {}?\n", number);
    fmt::print("    was told: {}\n", sock.recv(100).str());  // nothing there yet: the other one runs
  }
  sock.shutdown(Shutdown::write);
}

void answer(Socket& sock) {
  while (Bytes question = sock.recv(100)) {
    fmt::print("  answers {}\n", question.str());
    sock.send_all(fmt::format("{}", std::stoi(question.str()) + 1));
  }
  fmt::print("  nobody asks any more\n");
}

int main() {
  return run([] {
    auto [left, right] = socketpair();
    auto asking = spawn(ask, std::ref(left));
    auto answering = spawn(answer, std::ref(right));
    join_all(asking, answering);
    return 0;
  });
}
