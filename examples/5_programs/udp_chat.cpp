// A chat over UDP, the calling side, with a directory of contacts: choose one by name and talk; `q` ends the talk and
// asks for the next name, an empty name ends the program.
//
//   udp_chat NAME=HOST:PORT…
#include <fmt/format.h>

#include <iostream>
#include <map>

#include <hawser/hawser.h>

using namespace hawser;

bool ask(const std::string& prompt, std::string& line) {
  std::cout << prompt << std::flush;
  return offload([&] { return bool(std::getline(std::cin, line)); });
}

int main(int argc, char** argv) {
  std::map<std::string, Address> contacts;
  for (int i = 1; i < argc; ++i) {
    const std::string contact = argv[i];
    const auto equals = contact.find('=');
    if (equals != contact.npos) contacts[contact.substr(0, equals)] = Address::parse(contact.substr(equals + 1));
  }
  if (contacts.empty()) {
    std::cerr << "usage: udp_chat NAME=HOST:PORT...\n";
    return 2;
  }
  return run([&] {
    Socket sock(AF_INET, SOCK_DGRAM);
    sock.bind(Address::ip("0.0.0.0", 0));
    TaskGroup listening;  // cancelled when the scope is left
    listening.spawn([&] {
      for (;;) {
        const Datagram said = sock.recv_from(1024);
        std::string who = said.from.str();
        for (const auto& [name, address] : contacts)
          if (address == said.from) who = name;
        std::cout << fmt::format("\033[1;33m{}\033[0m {}\n", who, said.data.view()) << std::flush;
      }
    });
    for (std::string name, line; ask("who? ", name) && !name.empty();) {
      if (!contacts.contains(name)) {
        std::cout << "no such contact" << std::endl;
        continue;
      }
      while (ask("", line) && line != "q") sock.send_to(line, contacts[name]);
    }
  });
}
