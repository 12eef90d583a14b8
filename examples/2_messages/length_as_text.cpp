// The first cure: say how long the message is before sending it. The length goes as text, and since nobody can see
// where that text ends, the other side answers "recv_ready" before the message follows. One more way there and back
// each time.
//
//   length_as_text server PORT           then, elsewhere:  length_as_text client PORT 5000
#include <iostream>
#include <string>

#include <hawser/hawser.h>

using namespace hawser;

std::string numbers_up_to(int last) {
  std::string text;
  for (int n = 1; n <= last; ++n) text += std::to_string(n) + '\n';
  return text;
}

void answer(Socket& peer) {
  while (const Bytes wish = peer.recv(1024)) {
    const std::string text = numbers_up_to(std::stoi(wish.str()));
    peer.send_all(std::to_string(text.size()));
    if (peer.recv(1024) != "recv_ready") return;
    peer.send_all(text);
  }
}

void ask(int port, const std::string& wish) {
  Socket sock = connect({"127.0.0.1", port});
  sock.send_all(wish);
  const std::size_t size = std::stoul(sock.recv(1024).str());
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
  return run([&] {
    if (argc == 4) return ask(std::stoi(argv[2]), argv[3]);
    FiberTcpServer server({"127.0.0.1", std::stoi(argv[2])}, answer);
    std::cout << "listening on " << server.address().str() << std::endl;
    server.serve_forever();
  });
}
