// A chat over UDP, the calling side, with a directory of contacts: choose one by name and talk; `q` ends the talk and
// asks for the next name, an empty name ends the program.
//
//   udp_chat NAME=HOST:PORT…
#include <fmt/format.h>

#include <iostream>
#include <map>
#include <span>

#include <hawser/hawser.h>

using namespace hawser;

using Contacts = std::map<std::string, Address>;

Contacts look_up(std::span<char*> texts) {
  Contacts contacts;
  for (const std::string text : texts) {
    const auto equals = text.find('=');
    if (equals == text.npos) throw std::invalid_argument(text + " is not NAME=HOST:PORT");
    const Endpoint place = Endpoint::parse(text.substr(equals + 1));
    contacts[text.substr(0, equals)] = resolve(place, {.family = IpFamily::v4}).front();
  }
  return contacts;
}

bool ask(const std::string& prompt, std::string& line) {
  std::cout << prompt << std::flush;
  return offload([&] { return bool(std::getline(std::cin, line)); });
}

void chat(Contacts& contacts) {
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
}

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "usage: udp_chat NAME=HOST:PORT...\n";
    return 2;
  }
  try {
    Contacts contacts = look_up({argv + 1, argv + argc});
    return run([&] { chat(contacts); });
  } catch (const std::exception& error) {
    std::cerr << "udp_chat: " << error.what() << '\n';
    return 1;
  }
}
