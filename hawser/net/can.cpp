#include <hawser/base/system_calls.h>
#include <hawser/net/can.h>

#include <linux/can.h>
#include <linux/can/raw.h>
#include <net/if.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace hawser {

Bytes detail::encode_can(const CanFrame& frame) {
  if (frame.data.size() > CAN_MAX_DLEN) throw std::invalid_argument("a CAN frame carries at most 8 bytes");
  if (frame.id > (frame.extended ? CAN_EFF_MASK : CAN_SFF_MASK)) {
    throw std::invalid_argument("CAN id " + std::to_string(frame.id) + " has more than " +
                                (frame.extended ? "29" : "11") + " bits");
  }
  can_frame raw{};
  raw.can_id = frame.id | (frame.extended ? CAN_EFF_FLAG : 0) | (frame.remote ? CAN_RTR_FLAG : 0) |
               (frame.error ? CAN_ERR_FLAG : 0);
  raw.can_dlc = static_cast<std::uint8_t>(frame.data.size());
  std::copy_n(reinterpret_cast<const std::uint8_t*>(frame.data.data()), frame.data.size(), raw.data);
  return Bytes(std::as_bytes(std::span(&raw, 1)));
}

CanFrame detail::decode_can(BytesView raw_bytes) {
  can_frame raw;
  if (raw_bytes.size() != sizeof raw)
    throw SystemError(EBADMSG, "recv_can", std::to_string(raw_bytes.size()) + " bytes");
  std::memcpy(&raw, raw_bytes.data(), sizeof raw);
  const bool extended = raw.can_id & CAN_EFF_FLAG;
  const bool error = raw.can_id & CAN_ERR_FLAG;
  return {.id = raw.can_id & (error      ? CAN_ERR_MASK
                              : extended ? CAN_EFF_MASK
                                         : CAN_SFF_MASK),
          .data = Bytes(std::as_bytes(std::span(raw.data, std::min<std::size_t>(raw.can_dlc, CAN_MAX_DLEN)))),
          .extended = extended,
          .remote = (raw.can_id & CAN_RTR_FLAG) != 0,
          .error = error};
}

Socket can_socket(const std::string& interface) {
  Socket bus(AF_CAN, SOCK_RAW, CAN_RAW);
  sockaddr_can name{};
  name.can_family = AF_CAN;
  if (!interface.empty()) {
    name.can_ifindex = static_cast<int>(::if_nametoindex(interface.c_str()));
    if (name.can_ifindex == 0) throw_errno("can", interface);
  }
  if (detail::sys::bind(bus.fileno(), reinterpret_cast<const sockaddr*>(&name), sizeof name) < 0)
    throw_errno("can", interface);
  return bus;
}

void send_can(Socket& bus, const CanFrame& frame) { bus.send_all(detail::encode_can(frame)); }

CanFrame recv_can(Socket& bus) { return detail::decode_can(bus.recv(sizeof(can_frame))); }

}  // namespace hawser
