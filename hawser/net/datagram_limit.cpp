#include <hawser/net/datagram_limit.h>

#include <netinet/in.h>

#include <hawser/base/errors.h>

namespace hawser::detail {
namespace {

constexpr int kUnixOverhead = 32;

bool leads_to_mapped(const Socket& socket, const Address* to) {
  if (to) return to->is_v4_mapped();
  try {
    return socket.peer_name().is_v4_mapped();
  } catch (const SystemError&) {  // it is connected to nobody
    return false;
  }
}

}  // namespace

std::string datagram_limit(const Socket& socket, std::size_t size, const Address* to) {
  std::string text = " (" + std::to_string(size) + " bytes";
  if (socket.family() == AF_UNIX) {
    // unix(7): what the buffer really has, which is twice what was asked for, less the kernel's own share.
    text += "; with its SO_SNDBUF a datagram carries at most " +
            std::to_string(2 * socket.get(option::send_buffer) - kUnixOverhead);
  } else if (socket.protocol() == IPPROTO_UDP) {
    // An IPv6 socket sends IPv4 to a mapped address.
    const bool inner_v4 = socket.family() == AF_INET || leads_to_mapped(socket, to);
    const std::size_t limit = inner_v4 ? kUdpPayloadLimit : kUdpV6PayloadLimit;
    text += size > limit
                ? "; UDP over IPv" + std::string(inner_v4 ? "4" : "6") + " carries at most " + std::to_string(limit)
                : "; more than the path takes in one piece";
  }
  return text + ")";
}

}  // namespace hawser::detail
