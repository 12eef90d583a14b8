// A conversation with a beginning, a middle and an end: setup, handle, finish. Here it adds up numbers, one a line, at
// a UNIX path. A line that is no number ends this conversation, but not without its finish, and no other one.
//
//   adding_up PATH        then, elsewhere: nc -U PATH
//
// Any line that is typed here tells how many are talking; the end of the input stops the server.
#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <exception>
#include <iostream>
#include <string>

#include <hawser/hawser.h>

using namespace hawser;

namespace {

int number_in(const std::string& line) {
  int number = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), number);
  if (error != std::errc() || *end != '\n') throw std::invalid_argument("no number: " + line);
  return number;
}

struct AddingUp : StreamHandler {
  void setup() override { output().write("a number a line, please\n"); }
  void handle() override {
    while (auto line = input().read_line()) sum_ += number_in(*line);
  }
  void finish() override {
    output().write(fmt::format("{} in all\n", sum_));
    output().flush();
  }

 private:
  long sum_ = 0;  // each conversation has a handler of its own
};

void say_what_happened(const std::exception_ptr& error, Socket&) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& what) {
    fmt::print(stderr, "adding_up: {}\n", what.what());
  }
}

}  // namespace

int main(int argc, char** argv) try {
  ThreadingUnixServer<AddingUp> server(argc > 1 ? argv[1] : "/tmp/adding_up", {.handle_error = say_what_happened});
  Thread serving([&] { server.serve_forever(); });
  serving.start();
  fmt::print("listening on {}\n", server.address().str());
  std::fflush(stdout);
  for (std::string line; std::getline(std::cin, line);) {
    fmt::print("{} talking\n", server.connections());
    std::fflush(stdout);
  }
  server.request_stop();
  server.wait_stopped();  // everybody has been seen out
  fmt::print("stopped\n");
  serving.join();
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "adding_up: {}\n", error.what());
  return 1;
}
