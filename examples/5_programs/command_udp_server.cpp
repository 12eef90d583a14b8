// Remote commands over UDP: one datagram with the command in, two out: what it wrote to stderr, then to stdout. A
// datagram holds 65,507 bytes at most, so a longer answer is cut and says so in its last line.
//
//   command_udp_server PORT
#include <fmt/format.h>

#include <iostream>

#include <hawser/hawser.h>

using namespace hawser;
using namespace std::chrono_literals;

constexpr std::size_t kKept = std::size_t{1} << 20;  // of what a command prints; the rest is not even counted

std::string fitting(const Bytes& output) {
  constexpr std::size_t kMost = 65'507;
  if (output.size() <= kMost) return output.str();
  const std::string note =
      fmt::format("\n[cut: {}{} bytes in all]\n", output.size() < kKept ? "" : "at least ", output.size());
  return std::string(output.view().substr(0, kMost - note.size())) + note;
}

void answer(DatagramRequest& request) {
  Bytes out;
  Bytes err;
  try {
    Completed done = run_command(Command::shell(request.data().str()),
                                 {.capture = true, .timeout = 60s, .output_limit = kKept, .stderr_ = Pipe::open});
    out = std::move(done.out);
    err = std::move(done.err);
  } catch (const CommandTimedOut& error) {
    err = error.what();
  } catch (const std::invalid_argument& error) {  // a NUL: no command has one
    err = error.what();
  }
  request.reply(fitting(err));  // whatever else goes wrong ends this request only, and the server logs it
  request.reply(fitting(out));
}

int main(int argc, char** argv) try {
  if (argc != 2) {
    std::cerr << "usage: command_udp_server PORT\n";
    return 2;
  }
  return run([&] {
    // A slow command holds up nobody else, and a flood of them takes no more than a hundred fibers.
    FiberUdpServer server({"127.0.0.1", argv[1]}, answer, {.max_connections = 100});
    std::cout << "listening on " << server.address().str() << std::endl;
    server.serve_forever();
  });
} catch (const std::exception& error) {
  std::cerr << "command_udp_server: " << error.what() << "\n";
  return 1;
}
