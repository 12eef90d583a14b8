// Frames on the bus of a vehicle: shows those that pass, or sends one. A frame has no sender and no receiver, only an
// id that says what it is about, and at most eight bytes.
//
//   can_frames INTERFACE [ID TEXT]       can_frames vcan0 1a3 hello
#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <string>

#include <hawser/hawser.h>

using namespace hawser;

int main(int argc, char** argv) {
  if (argc != 2 && argc != 4) {
    fmt::print(stderr, "usage: can_frames INTERFACE [ID TEXT]\n");
    return 2;
  }
  try {
    Socket bus = can_socket(argv[1]);
    if (argc == 4) {
      send_can(bus, {.id = static_cast<std::uint32_t>(std::stoul(argv[2], nullptr, 16)), .data = argv[3]});
      return 0;
    }
    fmt::print("listening on {}\n", argv[1]);
    for (;;) {
      std::fflush(stdout);
      const CanFrame frame = recv_can(bus);
      fmt::print("{:x}:", frame.id);
      for (const char byte : frame.data.view()) fmt::print(" {:02x}", static_cast<unsigned char>(byte));
      fmt::print("\n");
    }
  } catch (const std::exception& error) {  // no CAN in this kernel, or no such interface
    fmt::print(stderr, "can_frames: {}\n", error.what());
    return 1;
  }
}
