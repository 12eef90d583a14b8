// Ten questions to a slow server: one after another, then all at once. Same thread, same function.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>
#include <hawser/net/connect.h>
#include <hawser/serve/tcp_servers.h>

using namespace hawser;
using namespace std::chrono_literals;

constexpr int kQuestions = 10;

std::string ask(const Address& server) {
  Socket sock = connect(server);
  return sock.recv(100).str();
}

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

int main() {
  return run([] {
    int here = 0, most = 0;  // guests of the server: now, and at most
    FiberTcpServer slow({"127.0.0.1", 0}, [&](Socket& guest) {
      most = std::max(most, ++here);
      sleep(50ms);  // a database, a disk, another server far away
      --here;
      guest.send_all("answer");
    });
    auto serving = spawn([&] { slow.serve_forever(); });

    auto start = Clock::now();
    for (int i = 0; i < kQuestions; ++i) ask(slow.address());
    fmt::print("synchronous:  {:.2f} s, at most {} waiting\n", seconds_since(start), std::exchange(most, 0));

    start = Clock::now();
    std::vector<Task<std::string>> asking;
    for (int i = 0; i < kQuestions; ++i) asking.push_back(spawn(ask, slow.address()));
    join_all(asking);
    fmt::print("asynchronous: {:.2f} s, at most {} waiting\n", seconds_since(start), most);

    slow.request_stop();
    serving.get();
    return 0;
  });
}
