// The second cure: the length always takes four bytes, so it needs no answer of its own. Python's end of it is
// struct.pack('i', len(text)) + text.
//
//   fixed_length server PORT             then, elsewhere:  fixed_length client PORT hello 黑马 ...
#include <exception>
#include <iostream>

#include <hawser/hawser.h>

using namespace hawser;

constexpr int kLongest = 1024 * 1024;  // what a stranger may make us keep

void send_message(Socket& sock, BytesView text) {
  const auto length = pack<"i">(text.size());
  sock.send_all(length);
  sock.send_all(text);
}

// Nothing when the other side has finished.
std::optional<Bytes> receive_message(BufferedReader& in) {
  if (in.at_end()) return std::nullopt;
  const auto [length] = unpack<"i">(in.read_exactly(calcsize<"i">()));
  if (length < 0 || length > kLongest) throw std::runtime_error("a message of " + std::to_string(length) + " bytes");
  return in.read_exactly(static_cast<std::size_t>(length));
}

void echo(Socket& peer) {
  BufferedReader in(peer);
  while (const auto text = receive_message(in)) send_message(peer, *text);
}

void talk(const char* port, std::span<char*> messages) {
  Socket sock = connect({"127.0.0.1", port});
  BufferedReader in(sock);
  for (const char* message : messages) send_message(sock, message);  // all at once: they have borders now
  for ([[maybe_unused]] const char* message : messages) {
    const auto text = receive_message(in);
    if (!text) throw std::runtime_error("the server has gone");
    std::cout << text->size() << " bytes: " << text->view() << "\n";
  }
}

int main(int argc, char** argv) try {
  if (argc < 3) {
    std::cerr << "usage: fixed_length server PORT | client PORT MESSAGE...\n";
    return 2;
  }
  return run([&] {
    if (argc > 3) return talk(argv[2], {argv + 3, argv + argc});
    FiberTcpServer server({"127.0.0.1", argv[2]}, echo);
    std::cout << "listening on " << server.address().str() << std::endl;
    server.serve_forever();
  });
} catch (const std::exception& error) {
  std::cerr << "fixed_length: " << error.what() << "\n";
  return 1;
}
