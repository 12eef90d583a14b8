// Votes over UDP: one datagram, one vote, until nobody has voted for a while. serve_forever() has a loop of its own;
// with handle_request(), which serves a single one, the loop is the program's.
//
//   votes PORT SECONDS NAME...        votes 9999 10 tea coffee
#include <chrono>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <map>
#include <string>

#include <hawser/hawser.h>

using namespace hawser;

int main(int argc, char** argv) try {
  if (argc < 4) {
    std::cerr << "usage: votes PORT SECONDS NAME...\n";
    return 2;
  }
  std::map<std::string, int> votes;
  for (int i = 3; i < argc; ++i) votes[argv[i]] = 0;  // no stranger adds to them
  const auto count = [&](DatagramRequest& request) {
    const auto vote = votes.find(request.data().str());
    if (vote == votes.end()) return request.reply("nobody of that name");
    ++vote->second;
    request.reply("counted");
  };
  UdpServer server({"127.0.0.1", argv[1]}, count, {.timeout = std::chrono::seconds(std::atoi(argv[2]))});
  std::cout << "listening on " << server.address().str() << std::endl;
  while (server.handle_request()) {  // false: none has come in that time
  }
  for (const auto& [name, number] : votes) std::cout << name << " " << number << "\n";
  return 0;
} catch (const std::exception& error) {
  std::cerr << "votes: " << error.what() << "\n";
  return 1;
}
