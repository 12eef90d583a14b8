// A chat over UDP, the answering side: shows who says what, each client in a colour of its own, and sends what is typed
// back to whoever spoke last. `q` ends it.
//
//   udp_chat_server PORT
#include <fmt/format.h>

#include <iostream>
#include <map>

#include <hawser/hawser.h>

using namespace hawser;

void listen_to_all(Socket& sock, Address& last) {
  std::map<std::string, std::size_t> colours;
  for (;;) {
    const Datagram said = sock.recv_from(1024);
    last = said.from;
    if (colours.size() == 1000) colours.clear();  // addresses cost strangers nothing
    const auto colour = 31 + colours.try_emplace(last.str(), colours.size()).first->second % 6;
    std::cout << fmt::format("\033[1;{}m{}\033[0m {}\n", colour, last.str(), said.data.view()) << std::flush;
  }
}

void chat(Socket& sock) {
  Address last;
  TaskGroup listening;  // cancelled when the scope is left
  listening.spawn([&] { listen_to_all(sock, last); });
  std::string line;
  while (offload([&] { return bool(std::getline(std::cin, line)); }) && line != "q") {
    if (last.family() == AF_UNSPEC) {
      std::cout << "nobody has said anything yet" << std::endl;
      continue;
    }
    try {
      sock.send_to(line, last);
    } catch (const SystemError& error) {  // they can't be answered, from port 0 for example: others can
      std::cout << error.what() << std::endl;
    }
  }
}

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: udp_chat_server PORT\n";
    return 2;
  }
  try {
    return run([&] {
      Socket sock(AF_INET, SOCK_DGRAM);
      sock.bind(Address::ip("127.0.0.1", argv[1]));
      std::cout << "listening on " << sock.sock_name().str() << std::endl;
      chat(sock);
    });
  } catch (const std::exception& error) {
    std::cerr << "udp_chat_server: " << error.what() << '\n';
    return 1;
  }
}
