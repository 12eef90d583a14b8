// The client of command_server: reads commands, one a line, and prints what each printed over there; `q` ends it.
//
//   command_client raw|ready|length|json|frames PORT
#include <fmt/format.h>

#include <iostream>

#include <hawser/hawser.h>

using namespace hawser;
using namespace std::chrono_literals;

std::size_t receive_length(BufferedReader& in) {
  const auto [length] = unpack<"i">(in.read_exactly(4));
  if (length < 0) throw std::runtime_error("the server sent a negative length");
  return static_cast<std::size_t>(length);
}

std::string answer(const std::string& form, Socket& sock, BufferedReader& in) {
  if (form == "raw") return in.read(1024).str();  // what is longer comes with the next answer: that is the problem
  if (form == "ready") {
    const auto length = std::stoul(in.read(64).str());
    sock.send_all("recv_ready");
    return in.read_exactly(length).str();
  }
  if (form == "length") return in.read_exactly(receive_length(in)).str();
  if (form == "json") {
    const Json header = Json::parse(in.read_exactly(receive_length(in)));
    return in.read_exactly(header["total_size"].as_uint64()).str();
  }
  FrameStream frames(sock);
  std::string text;
  for (int i = 0; i < 2; ++i) {
    const Frame frame = frames.receive();
    if (!frame) throw std::runtime_error("the server has gone");
    text += frames.read_body_all(64 << 20).str();
    if (i == 1 && frame["code"].as_int64() != 0) text += fmt::format("[exit {}]\n", frame["code"].as_int64());
  }
  return text;
}

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: command_client raw|ready|length|json|frames PORT\n";
    return 2;
  }
  Socket sock = connect({"127.0.0.1", std::stoi(argv[2])}, {.timeout = 5s});
  sock.set_timeout(90s);  // a command that prints nothing has no answer in the raw form
  BufferedReader in(sock);
  for (std::string line; std::getline(std::cin, line) && line != "q";) {
    if (line.empty()) continue;  // an empty message is never sent: the server would not see it, and we would wait
    sock.send_all(line);
    std::cout << answer(argv[1], sock, in) << std::flush;
  }
}
