// A UDP server on the library that sends back what it gets: in batches, or (--batch 1) one datagram a call.
#include <array>

#include <hawser/net/datagram.h>
#include <hawser/net/socket.h>

#include "server_program.h"

using namespace hawser;

namespace {

constexpr std::size_t kSize = 2048;

void one_by_one(Socket& socket) {
  std::array<std::byte, kSize> buffer;
  for (;;) {
    const ReceivedDatagram got = socket.recv_from_into(buffer);
    socket.send_to(std::span(buffer).first(got.size), got.from);
  }
}

void in_batches(Socket& socket, std::size_t most) {
  DatagramBatch batch(most, kSize);
  std::vector<OutgoingDatagram> answers;
  for (;;) {
    socket.receive_many(batch);
    answers.clear();
    for (const DatagramView& got : batch) answers.push_back({got.data, got.from});
    socket.send_many(answers);
  }
}

}  // namespace

int main(int argc, char** argv) {
  return run_on_engine(argc, argv, "bench_datagrams", {"batch"}, [](const Arguments& arguments, int port) {
    Socket socket(AF_INET, SOCK_DGRAM);
    socket.bind(Address::ip("127.0.0.1", port));
    const auto most = static_cast<std::size_t>(arguments.number("batch", 64));
    most > 1 ? in_batches(socket, most) : one_by_one(socket);
  });
}
