// A server for one client after another; up to 128 more wait in line meanwhile. It greets each, prints its receipt and
// goes on, also when a client vanishes in the middle.
//
//   tcp_server [PORT [CLIENTS]]     ends after so many clients; never without
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

#include <hawser/hawser.h>

using namespace hawser;
using namespace std::chrono_literals;

int main(int argc, char** argv) {
  const int port = argc > 1 ? std::atoi(argv[1]) : 8080;
  const int clients = argc > 2 ? std::atoi(argv[2]) : 0;
  Listener listener({"127.0.0.1", port}, {.backlog = 128});
  fmt::print("listening on {}\n", listener.address().str());
  for (int number = 1; clients == 0 || number <= clients; ++number) {
    std::fflush(stdout);
    Socket client = listener.accept();
    try {
      client.set_timeout(10s);  // nobody may hold up the line for longer
      client.send_all(fmt::format("welcome, you are number {}\n", number));
      std::string receipt;
      while (Bytes data = client.recv(1024)) receipt += data.view();  // may come in pieces
      fmt::print("{}: {}", number, receipt.empty() ? "left without a receipt\n" : receipt);
    } catch (const SystemError& error) {  // reset by its owner, say
      fmt::print("{}: vanished ({})\n", number, error.code().message());
    } catch (const SocketTimeout&) {
      fmt::print("{}: too slow\n", number);
    }
  }
}
