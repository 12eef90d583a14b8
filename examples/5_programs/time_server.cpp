// The time over UDP: an empty datagram gets it in the usual form, any other is a strftime format: "%H:%M".
//
//   time_server PORT
//
// Formats come from strangers: one whose text does not fit a datagram gets no answer, and no memory either. What the
// handler throws ends the one request, and the server logs it.
#include <iostream>

#include <hawser/hawser.h>

using namespace hawser;

struct Daytime : DatagramHandler {
  void handle() override {
    const std::string format = request().data().str();
    const auto now = local_time(std::chrono::system_clock::now());
    output().write(format_time(format.empty() ? "%Y-%m-%d %H:%M:%S" : format, now, 1400));
  }
};

int main(int argc, char** argv) try {
  if (argc != 2) {
    std::cerr << "usage: time_server PORT\n";
    return 2;
  }
  UdpServer<Daytime> server({"127.0.0.1", argv[1]});
  std::cout << "listening on " << server.address().str() << std::endl;
  server.serve_forever();
} catch (const std::exception& error) {
  std::cerr << "time_server: " << error.what() << "\n";
  return 1;
}
