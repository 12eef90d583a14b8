// The first cure: say how long the message is before sending it. The length goes as text, and since nobody can see
// where that text ends, the other side answers "recv_ready" before the message follows. One more way there and back
// each time.
//
//   length_as_text server PORT           then, elsewhere:  length_as_text client PORT 5000
#include <fmt/format.h>

#include <charconv>
#include <iostream>
#include <string>

#include <hawser/hawser.h>

using namespace hawser;

constexpr std::size_t kHighest = 100'000;      // how far anybody may make us count
constexpr std::size_t kLongest = 1024 * 1024;  // what a stranger may make us keep

std::size_t number_in(std::string_view text, std::size_t most) {
  std::size_t number = most + 1;  // unless the text begins with one
  std::from_chars(text.data(), text.data() + text.size(), number);
  if (number > most) throw std::runtime_error(fmt::format("what came is no number up to {}", most));
  return number;
}

std::string numbers_up_to(std::size_t last) {
  std::string text;
  for (std::size_t n = 1; n <= last; ++n) text += std::to_string(n) + '\n';
  return text;
}

void answer(Socket& peer) {
  while (const Bytes wish = peer.recv(1024)) {
    const std::string text = numbers_up_to(number_in(wish, kHighest));
    peer.send_all(std::to_string(text.size()));
    if (peer.recv(1024) != "recv_ready") return;
    peer.send_all(text);
  }
}

void ask(const char* port, const std::string& wish) {
  Socket sock = connect({"127.0.0.1", port});
  sock.send_all(wish);
  const Bytes length = sock.recv(1024);
  if (!length) throw std::runtime_error("the server has gone");
  const std::size_t size = number_in(length, kLongest);
  sock.send_all("recv_ready");
  std::string text;
  while (text.size() < size) {
    const Bytes data = sock.recv(1024);
    if (!data) throw std::runtime_error("the server went away in the middle of its answer");
    text += data.view();
  }
  std::cout << text;
}

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: length_as_text server PORT | client PORT COUNT\n";
    return 2;
  }
  try {
    return run([&] {
      if (argc == 4) return ask(argv[2], argv[3]);
      FiberTcpServer server({"127.0.0.1", argv[2]}, answer);
      std::cout << "listening on " << server.address().str() << std::endl;
      server.serve_forever();
    });
  } catch (const std::exception& error) {
    std::cerr << "length_as_text: " << error.what() << '\n';
    return 1;
  }
}
