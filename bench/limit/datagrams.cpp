// The limit of a UDP echo server: one thread, recvmmsg(2) and sendmmsg(2) for up to 64 datagrams at once, or, with
// --batch 1, recvfrom(2) and sendto(2).
//
//   limit_datagrams PORT [--batch 64]
#include <sys/socket.h>

#include <array>
#include <vector>

#include "../arguments.h"
#include "../listening.h"

namespace {

constexpr std::size_t kSize = 2048;

void one_by_one(int fd) {
  char buffer[kSize];
  for (;;) {
    sockaddr_storage from{};
    socklen_t length = sizeof from;
    auto* generic = reinterpret_cast<sockaddr*>(&from);
    const ssize_t got = ::recvfrom(fd, buffer, sizeof buffer, 0, generic, &length);
    if (got >= 0) ::sendto(fd, buffer, static_cast<std::size_t>(got), 0, generic, length);
  }
}

void in_batches(int fd, std::size_t most) {
  std::vector<std::array<char, kSize>> buffers(most);
  std::vector<sockaddr_storage> from(most);
  std::vector<iovec> pieces(most);
  std::vector<mmsghdr> messages(most);
  for (std::size_t i = 0; i < most; ++i) {
    messages[i].msg_hdr.msg_name = &from[i];
    messages[i].msg_hdr.msg_iov = &pieces[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  for (;;) {
    for (std::size_t i = 0; i < most; ++i) {
      pieces[i] = {buffers[i].data(), kSize};
      messages[i].msg_hdr.msg_namelen = sizeof from[i];
    }
    const int got = ::recvmmsg(fd, messages.data(), static_cast<unsigned>(most), MSG_WAITFORONE, nullptr);
    for (int i = 0; i < got; ++i)
      pieces[static_cast<std::size_t>(i)].iov_len = messages[static_cast<std::size_t>(i)].msg_len;
    for (int sent = 0; sent < got;) {
      const int n = ::sendmmsg(fd, messages.data() + sent, static_cast<unsigned>(got - sent), 0);
      if (n <= 0) break;
      sent += n;
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const Arguments arguments(argc, argv, "limit_datagrams PORT [--batch 64]", {"batch"});
  const int fd = bound_socket(static_cast<int>(arguments.number_at(0)), SOCK_DGRAM);
  const auto most = static_cast<std::size_t>(arguments.number("batch", 64));
  most > 1 ? in_batches(fd, most) : one_by_one(fd);
}
