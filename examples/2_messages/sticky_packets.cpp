// TCP carries bytes, not messages: what is sent in three pieces may arrive as one, and whoever asks for too little gets
// the rest with the next question.
//
//   sticky_packets receive PORT          then, elsewhere:  sticky_packets send PORT
#include <chrono>
#include <exception>
#include <iostream>
#include <string>
#include <thread>

#include <hawser/hawser.h>

using namespace hawser;
using namespace std::chrono_literals;

// Receives, at most so many bytes a time, until `total` have come; shows what came each time.
void receive(Socket& peer, std::size_t limit, std::size_t total) {
  for (std::size_t have = 0; have < total;) {
    const Bytes data = peer.recv(limit);
    if (!data) throw std::runtime_error("the sender has gone");
    have += data.size();
    std::cout << "  recv(" << limit << ") gave " << data.size() << " bytes: " << data.view() << std::endl;
  }
}

void receiver(const char* port) {
  Listener listener({"127.0.0.1", port});
  std::cout << "listening on " << listener.address().str() << std::endl;
  Socket peer = listener.accept();
  std::this_thread::sleep_for(200ms);  // busy with something else while the messages come
  std::cout << "three messages were sent, hello, world and egg:" << std::endl;
  receive(peer, 1024, 13);
  peer.send_all("next");
  std::cout << "one message was sent, hello world:" << std::endl;
  receive(peer, 4, 11);
}

void sender(const char* port) {
  Socket sock = connect({"127.0.0.1", port});
  for (const char* message : {"hello", "world", "egg"}) sock.send_all(message);
  sock.recv(4);
  sock.send_all("hello world");
  std::cout << "sent hello, world and egg, then hello world" << std::endl;
}

int main(int argc, char** argv) try {
  if (argc != 3) {
    std::cerr << "usage: sticky_packets receive|send PORT\n";
    return 2;
  }
  std::string(argv[1]) == "send" ? sender(argv[2]) : receiver(argv[2]);
} catch (const std::exception& error) {
  std::cerr << "sticky_packets: " << error.what() << "\n";
  return 1;
}
