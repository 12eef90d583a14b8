// Sends what is typed, line by line, and shows what comes back, until `q`.
//
//   tcp_echo_client HOST:PORT
#include <fmt/format.h>

#include <cstdio>
#include <iostream>
#include <string>

#include <hawser/hawser.h>

using namespace hawser;

int main(int argc, char** argv) {
  try {
    Socket sock = connect(Endpoint::parse(argc > 1 ? argv[1] : "127.0.0.1:8080"));
    std::string line;
    while (std::getline(std::cin, line) && line != "q") {
      // An empty message sends nothing, so nothing would come back: we would wait for ever.
      if (line.empty()) continue;
      sock.send_all(line);
      // What was sent in one piece may come back in several.
      std::string echo;
      while (echo.size() < line.size()) {
        const Bytes data = sock.recv(1024);
        if (!data) {
          fmt::print("the server hung up\n");
          return 1;
        }
        echo += data.view();
      }
      fmt::print("{}\n", echo);
      std::fflush(stdout);
    }
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "tcp_echo_client: {}\n", error.what());
    return 1;
  }
}
