// Which families of sockets are to be had here. That a kernel lacks one, or that one may not have it, is known when the
// socket is made: one error, which says just that.
#include <fmt/format.h>
#include <linux/can.h>

#include <hawser/hawser.h>

using namespace hawser;

struct Kind {
  const char* name;
  int family;
  int type;
  int protocol = 0;
};

constexpr Kind kKinds[] = {
    {"IPv4 stream", AF_INET, SOCK_STREAM},   {"IPv4 datagrams", AF_INET, SOCK_DGRAM},
    {"IPv6 stream", AF_INET6, SOCK_STREAM},  {"UNIX stream", AF_UNIX, SOCK_STREAM},
    {"UNIX datagrams", AF_UNIX, SOCK_DGRAM}, {"raw ICMP", AF_INET, SOCK_RAW, IPPROTO_ICMP},  // for root: what ping uses
    {"raw CAN", AF_CAN, SOCK_RAW, CAN_RAW},  // the bus of vehicles: can_frames
    {"RDS", AF_RDS, SOCK_SEQPACKET},         // datagrams that arrive, in clusters
};

int main() {
  for (const auto& [name, family, type, protocol] : kKinds) {
    try {
      Socket sock(family, type, protocol);
      fmt::print("{}: here\n", name);
    } catch (const SystemError& error) {
      fmt::print("{}: {}\n", name, error.what());
    }
  }
}
