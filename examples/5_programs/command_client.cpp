// The client of command_server: reads commands, one a line, and prints what each printed over there; `q` ends it.
//
//   command_client raw|ready|length|json|frames PORT
#include <fmt/format.h>

#include <charconv>
#include <iostream>

#include <hawser/hawser.h>

using namespace hawser;
using namespace std::chrono_literals;

constexpr std::int64_t kMost = std::int64_t{64} << 20;
const std::string kCut = "\n[cut: there was more]\n";

// A length from outside is a claim, until it has been looked at.
std::size_t believed(std::int64_t length) {
  if (length < 0 || length > kMost) throw std::runtime_error(fmt::format("the server claims {} bytes", length));
  return static_cast<std::size_t>(length);
}

std::size_t receive_length(BufferedReader& in) {
  const auto [length] = unpack<"i">(in.read_exactly(4));
  return believed(length);
}

std::string answer(const std::string& form, Socket& sock, BufferedReader& in) {
  if (form == "frames") {
    FrameStream frames(sock);
    std::string text;
    for (int i = 0; i < 2; ++i) {
      const Frame frame = frames.receive();
      if (!frame) throw std::runtime_error("the server hung up");
      text += frames.read_body_all(kMost).str();
      if (i == 0) continue;
      if (frame.header().get_bool("truncated", false)) text += kCut;
      if (frame["code"].as_int64() != 0) text += fmt::format("[exit {}]\n", frame["code"].as_int64());
    }
    return text;
  }
  if (in.at_end()) throw std::runtime_error("the server hung up");
  if (form == "raw") return in.read(1024).str();  // what is longer comes with the next answer: that is the problem
  if (form == "ready") {
    const std::string digits = in.read(64).str();
    std::int64_t length = -1;
    std::from_chars(digits.data(), digits.data() + digits.size(), length);
    const std::size_t size = believed(length);
    sock.send_all("recv_ready");
    return in.read_exactly(size).str();
  }
  if (form == "length") return in.read_exactly(receive_length(in)).str();
  const Json header = Json::parse(in.read_exactly(receive_length(in)));
  const std::string text = in.read_exactly(believed(header["total_size"].as_int64())).str();
  return header.get_bool("truncated", false) ? text + kCut : text;
}

int main(int argc, char** argv) try {
  if (argc != 3) {
    std::cerr << "usage: command_client raw|ready|length|json|frames PORT\n";
    return 2;
  }
  Socket sock = connect({"127.0.0.1", argv[2]}, {.timeout = 5s});
  sock.set_timeout(90s);  // a command that prints nothing has no answer in the raw form
  BufferedReader in(sock);
  for (std::string line; std::getline(std::cin, line) && line != "q";) {
    if (line.empty()) continue;  // an empty message is never sent: the server would not see it, and we would wait
    sock.send_all(line);
    std::cout << answer(argv[1], sock, in) << std::flush;
  }
} catch (const std::exception& error) {
  std::cerr << "command_client: " << error.what() << "\n";
  return 1;
}
