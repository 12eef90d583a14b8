// Remote commands over UDP: one datagram with the command in, two out: what it wrote to stderr, then to stdout. A
// datagram holds 65,507 bytes at most, so a longer answer is cut and says so in its last line.
//
//   command_udp_server PORT
#include <fmt/format.h>

#include <iostream>

#include <hawser/hawser.h>

using namespace hawser;
using namespace std::chrono_literals;

std::string fitting(const Bytes& output) {
  constexpr std::size_t kMost = 65'507;
  if (output.size() <= kMost) return output.str();
  const std::string note = fmt::format("\n[cut: {} bytes in all]\n", output.size());
  return std::string(output.view().substr(0, kMost - note.size())) + note;
}

void answer(Socket& sock, const Datagram& request) {
  Bytes out;
  Bytes err;
  try {
    Completed done =
        run_command(Command::shell(request.data.str()), {.capture = true, .timeout = 60s, .stderr_ = Pipe::open});
    out = std::move(done.out);
    err = std::move(done.err);
  } catch (const CommandTimedOut& error) {
    err = error.what();
  }
  sock.send_to(fitting(err), request.from);
  sock.send_to(fitting(out), request.from);
}

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: command_udp_server PORT\n";
    return 2;
  }
  return run([&] {
    Socket sock(AF_INET, SOCK_DGRAM);
    sock.bind(Address::ip("127.0.0.1", std::stoi(argv[1])));
    std::cout << "listening on " << sock.sock_name().str() << std::endl;
    Semaphore places(100);  // a slow command holds up nobody else, a flood of them takes no more than this
    TaskGroup answers;
    for (;;) {
      const Datagram request = sock.recv_from(1024);
      places.acquire();
      answers.spawn([&, request] {
        answer(sock, request);
        places.release();
      });
    }
  });
}
