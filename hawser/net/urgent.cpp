// Urgent data (tcp(7)): one byte that overtakes what waits before it.
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <hawser/base/system_calls.h>
#include <hawser/net/socket.h>
#include <hawser/net/socket_core.h>

namespace hawser {

void Socket::send_urgent(char byte) {
  Operation operation(core("send_urgent"), Direction::write, "send_urgent");
  operation.run([&] { return detail::sys::send(operation.fd(), &byte, 1, MSG_OOB | MSG_NOSIGNAL); }, 1);
}

std::optional<char> Socket::recv_urgent() {
  const Live fd = live("recv_urgent");
  char byte = 0;
  for (;;) {
    const ssize_t count = detail::sys::recv(fd, &byte, 1, MSG_OOB);
    if (count == 1) return byte;
    // EINVAL: none is under way, it was read already, or it is in line. EAGAIN: announced, and not yet here.
    if (count == 0 || errno == EINVAL || errno == EAGAIN) return std::nullopt;
    if (errno != EINTR) throw_errno("recv_urgent", core_->name);
  }
}

bool Socket::at_mark() const {
  const Live fd = live("at_mark");
  int at = 0;
  if (detail::sys::ioctl(fd, SIOCATMARK, &at) < 0) throw_errno("at_mark", core_->name);
  return at != 0;
}

}  // namespace hawser
