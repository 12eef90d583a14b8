// Asks a host for echoes by ICMP: a raw socket, for which one must be root, or the kernel's ICMP datagrams where
// everybody may have them.
//
//   ping HOST [COUNT]
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include <hawser/hawser.h>

using namespace hawser;
using namespace std::chrono_literals;

int main(int argc, char** argv) {
  try {
    const Address host = resolve({argc > 1 ? argv[1] : "localhost", 0}, {.timeout = 5s}).front();
    const int count = argc > 2 ? std::atoi(argv[2]) : 3;
    Ping ping(host);
    int heard = 0;
    for (int i = 1; i <= count; ++i) {
      if (const auto echo = ping.ask(1s, "are you there?")) {
        const double ms = std::chrono::duration<double, std::milli>(echo->time).count();
        fmt::print("echo {} from {}: {} bytes after {:.2f} ms\n", echo->sequence, echo->from.host(), echo->data.size(),
                   ms);
        ++heard;
      } else {
        fmt::print("echo {}: silence\n", i);
      }
    }
    fmt::print("{} of {} heard\n", heard, count);
    return heard == count ? 0 : 1;
  } catch (const std::exception& error) {
    fmt::print(stderr, "ping: {}\n", error.what());
    return 1;
  }
}
