// The limit of an echo server: one thread, level-triggered epoll, one recv and one send for each message, nothing else.
//
//   limit_echo PORT [spin]     spin: asks for events without sleeping
#include "../listening.h"

#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

namespace {

char buffer[64 * 1024];

// False when the conversation is over.
bool echo(int fd) {
  const ssize_t got = ::recv(fd, buffer, sizeof buffer, 0);
  if (got <= 0) return false;
  for (ssize_t sent = 0; sent < got;) {
    const ssize_t n = ::send(fd, buffer + sent, static_cast<std::size_t>(got - sent), MSG_NOSIGNAL);
    if (n < 0 && errno == EAGAIN) {
      pollfd room{fd, POLLOUT, 0};
      ::poll(&room, 1, -1);
    } else if (n < 0) {
      return false;
    } else {
      sent += n;
    }
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  const int listener = listening_socket(port_of(argc, argv));
  const int timeout = argc > 2 && std::string_view(argv[2]) == "spin" ? 0 : -1;
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  const auto watch = [&](int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
  };
  watch(listener);
  for (;;) {
    epoll_event events[256];
    const int count = ::epoll_wait(epoll, events, 256, timeout);
    for (int i = 0; i < count; ++i) {
      const int fd = events[i].data.fd;
      if (fd == listener) {
        const int peer = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (peer >= 0) watch(peer);
      } else if (!echo(fd)) {
        ::close(fd);
      }
    }
  }
}
