// The third cure: four bytes of length, then a header in JSON that says what follows and how much of it. The header can
// grow without breaking anybody. Python's end of it is struct.pack('i', len(header)) + header + body.
//
//   json_header server PORT              then, elsewhere:  json_header client PORT hello 黑马 ...
#include <exception>
#include <iostream>

#include <hawser/hawser.h>

using namespace hawser;

constexpr std::size_t kLongest = 1024 * 1024;  // what a stranger may make us keep

void answer(Socket& peer) {
  FrameStream frames(peer, {.max_body = kLongest});
  try {
    while (const Frame wish = frames.receive()) {
      const Bytes text = frames.read_body_all(kLongest);
      // Whatever else stands in the header goes back as it came, a number of a hundred digits, too.
      Json header = wish.header();
      header.set("answer_to", text.size());
      frames.send(header, text);
    }
  } catch (const FrameError& error) {
    // What came is no frame. Where the next one would begin nobody knows: the connection ends.
    std::cout << "refused: " << to_string(error.fault()) << ": " << error.what() << std::endl;
  }
}

void talk(const char* port, std::span<char*> messages) {
  Socket sock = connect({"127.0.0.1", port});
  FrameStream frames(sock);
  for (const char* message : messages) {
    frames.send({{"cmd", "echo"}, {"codec", "utf-8"}}, message);  // adds the size
    const Frame reply = frames.receive();
    std::cout << reply.header().dump() << " " << frames.read_body_all(kLongest).view() << "\n";
  }
}

int main(int argc, char** argv) try {
  if (argc < 3) {
    std::cerr << "usage: json_header server PORT | client PORT MESSAGE...\n";
    return 2;
  }
  return run([&] {
    if (argc > 3) return talk(argv[2], {argv + 3, argv + argc});
    FiberTcpServer server({"127.0.0.1", argv[2]}, answer);
    std::cout << "listening on " << server.address().str() << std::endl;
    server.serve_forever();
  });
} catch (const std::exception& error) {
  std::cerr << "json_header: " << error.what() << "\n";
  return 1;
}
