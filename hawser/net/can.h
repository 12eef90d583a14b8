// CAN: the field bus of vehicles, as sockets (SocketCAN). Each frame is one message of at most 8 bytes.
//
//   Socket bus = can_socket("can0");
//   send_can(bus, {.id = 0x123, .data = "\x01\x02"});
//   CanFrame frame = recv_can(bus);
//
// They wait as Socket does. Where the kernel lacks CAN, can_socket() throws SystemError ("socket AF_CAN SOCK_RAW …: not
// in this kernel"); an interface that does not exist is ENODEV. Source: the kernel's networking/can.rst.
#pragma once

#include <cstdint>
#include <string>

#include <hawser/base/bytes.h>
#include <hawser/net/socket.h>

namespace hawser {

struct CanFrame {
  std::uint32_t id = 0;   // 11 bits, or 29 when extended
  Bytes data;             // at most 8 bytes
  bool extended = false;  // EFF
  bool remote = false;    // RTR: asks for the frame of that id
  bool error = false;     // the controller reports; id tells what
};

// A raw socket on that interface; an empty name hears all of them, and can't send.
[[nodiscard]] Socket can_socket(const std::string& interface);

// Throw std::invalid_argument for more than 8 bytes or an id that is too large; otherwise as Socket's calls do.
void send_can(Socket& bus, const CanFrame& frame);
[[nodiscard]] CanFrame recv_can(Socket& bus);

namespace detail {
// As they pass through the socket: struct can_frame. decode throws SystemError (EBADMSG) for another length.
[[nodiscard]] Bytes encode_can(const CanFrame& frame);
[[nodiscard]] CanFrame decode_can(BytesView raw);
}  // namespace detail

}  // namespace hawser
