// Looks at a server's fibers from all sides: as text, through the watchdog, as numbers, and with calls that fail.
#include <fmt/format.h>

#include <cerrno>
#include <csignal>
#include <stdexcept>

#include <hawser/hawser.h>

using namespace hawser;
using namespace std::chrono_literals;

void serve(Socket& guest) {
  while (Bytes data = guest.recv(1024)) guest.send_all(data);
}

void count_all_words() {
  const auto end = Clock::now() + 300ms;
  while (Clock::now() < end) {
  }
}

void show_all_fibers() {
  dump_fibers_on(SIGUSR2);  // from here on `kill -USR2 PID` prints them to standard error
  fmt::print("{}", dump_fibers());
}

void show_who_holds_up_the_loop() {
  start_watchdog(50ms);
  auto words = spawn(count_all_words);
  words.set_name("words");
  words.get();
  sleep(50ms);  // the watchdog looks again, and sees that it has ended
  stop_watchdog();
}

void show_numbers() {
  const LoopCounters all = runtime_counters().total;  // each loop's own are in .loops
  fmt::print("{} switches, {} parks, {} fibers on {} stacks\n", all.switches, all.parks, all.fibers_live,
             all.stacks_mapped - all.stacks_free);
}

void converse(Socket& client) {
  client.send_all("hello");
  for (std::size_t got = 0; got < 5;) got += client.recv(5).size();
}

void converse_in_bad_weather(Socket& client) {
  const FaultInjection faults({{SystemCall::recv, Fault::kShort, 0.2},  // one in five receives less than is there
                               {SystemCall::send, EAGAIN, 0.1},
                               {.call = SystemCall::socket, .error = ENOBUFS, .nth = 3}},
                              42);
  converse(client);
  fmt::print("{} calls failed or fell short, and nobody noticed\n", faults.struck());
}

int main() {
  return run([] {
    FiberTcpServer server({"127.0.0.1", 0}, serve);
    auto serving = spawn([&] { server.serve_forever(); });
    serving.set_name("server");
    Socket client = connect(server.address());
    converse(client);
    show_all_fibers();
    show_who_holds_up_the_loop();
    show_numbers();
    try {
      converse_in_bad_weather(client);
    } catch (const std::logic_error& error) {
      fmt::print("{}\n", error.what());
    }
    client.close();
    server.request_stop();
    serving.get();
    return 0;
  });
}
