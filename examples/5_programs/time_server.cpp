// The time over UDP: an empty datagram gets it in the usual form, any other is a strftime format: "%H:%M".
//
//   time_server PORT
//
// Formats come from strangers: one whose text does not fit a datagram gets no answer, and no memory either.
#include <iostream>

#include <hawser/hawser.h>

using namespace hawser;

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: time_server PORT\n";
    return 2;
  }
  Socket sock(AF_INET, SOCK_DGRAM);
  sock.bind(Address::ip("127.0.0.1", std::stoi(argv[1])));
  std::cout << "listening on " << sock.sock_name().str() << std::endl;
  for (;;) {
    const Datagram question = sock.recv_from(1024);
    const std::string format = question.data.empty() ? "%Y-%m-%d %H:%M:%S" : question.data.str();
    try {
      sock.send_to(format_time(format, local_time(std::chrono::system_clock::now()), 1400), question.from);
    } catch (const std::exception& error) {
      std::cout << question.from.str() << ": " << error.what() << std::endl;
    }
  }
}
