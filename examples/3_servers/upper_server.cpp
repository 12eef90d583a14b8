// A line server whose conversation is a class: every line comes back in capitals. The same class runs under every
// server of the library; only the server's name changes.
//
//   upper_server [PORT]       then, from anywhere: nc 127.0.0.1 9999
#include <fmt/format.h>

#include <cctype>
#include <chrono>
#include <cstdio>
#include <exception>
#include <string>

#include <hawser/hawser.h>

using namespace hawser;
using namespace std::chrono_literals;

namespace {

std::string to_upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

struct Upper : StreamHandler {
  void handle() override {
    while (auto line = input().read_line()) output().write(to_upper(*line));
  }
};

}  // namespace

int main(int argc, char** argv) try {
  const char* const port = argc > 1 ? argv[1] : "9999";
  return run([port] {
    FiberTcpServer<Upper> server({"127.0.0.1", port}, {.max_connections = 500, .idle_timeout = 60s});
    fmt::print("listening on {}\n", server.address().str());
    std::fflush(stdout);
    server.serve_forever();
  });
} catch (const std::exception& error) {
  fmt::print(stderr, "upper_server: {}\n", error.what());
  return 1;
}
