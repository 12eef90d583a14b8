// Apart, because the kernel's tcp_info, which has more to tell, can't stand beside the C library's.
#include <hawser/net/tcp_past.h>

#include <linux/tcp.h>
#include <netinet/in.h>

#include <cstddef>

#include <hawser/base/system_calls.h>

namespace hawser::detail {

bool tcp_was_connected(int fd) noexcept {
  tcp_info about{};
  socklen_t size = sizeof about;
  if (sys::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &about, &size) < 0) return false;
  // What was acknowledged is counted from the handshake on, and outlives the connection.
  return size > offsetof(tcp_info, tcpi_bytes_received) && (about.tcpi_bytes_acked || about.tcpi_bytes_received);
}

}  // namespace hawser::detail
