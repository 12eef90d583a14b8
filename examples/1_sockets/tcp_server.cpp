// A server for one client after another; up to 128 more wait in line meanwhile. It greets each, prints its receipt and
// goes on, also when a client vanishes in the middle.
//
//   tcp_server [PORT [CLIENTS]]     ends after so many clients; never without
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include <hawser/hawser.h>

using namespace hawser;
using namespace std::chrono_literals;

constexpr std::size_t kLongest = 64 * 1024;  // of a receipt

int main(int argc, char** argv) try {
  const char* const port = argc > 1 ? argv[1] : "8080";
  const int clients = argc > 2 ? std::atoi(argv[2]) : 0;
  Listener listener({"127.0.0.1", port}, {.backlog = 128});
  fmt::print("listening on {}\n", listener.address().str());
  for (int number = 1; clients == 0 || number <= clients; ++number) {
    std::fflush(stdout);
    Socket client = listener.accept();
    try {
      Deadline budget(10s, "ten seconds for each client");  // nobody may hold up the line for longer
      client.send_all(fmt::format("welcome, you are number {}\n", number));
      const std::string receipt = BufferedReader(client).read_all(kLongest).str();  // may come in pieces
      fmt::print("{}: {}", number, receipt.empty() ? "left without a receipt\n" : receipt);
    } catch (const SystemError& error) {  // reset by its owner, say
      fmt::print("{}: vanished ({})\n", number, error.code().message());
    } catch (const DeadlineExceeded&) {
      fmt::print("{}: too slow\n", number);
    } catch (const LimitExceeded&) {
      fmt::print("{}: too much\n", number);
    }
  }
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "tcp_server: {}\n", error.what());
  return 1;
}
