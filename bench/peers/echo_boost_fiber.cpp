// Boost.Fiber, which has no I/O of its own, with epoll where its scheduler sleeps: a fiber that finds nothing to read
// is suspended, and woken by the edge that epoll reports. One thread.
#include "../listening.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <boost/fiber/all.hpp>
#include <cerrno>
#include <memory>

namespace fibers = boost::fibers;

namespace {

// Who waits on a descriptor, registered once for both directions.
struct Waiting {
  int fd;
  fibers::context* fiber = nullptr;

  void wait() {
    fiber = fibers::context::active();
    fiber->suspend();
  }
};

int epoll_fd = -1;

class EpollScheduler : public fibers::algo::round_robin {
 public:
  void suspend_until(const std::chrono::steady_clock::time_point& /*until*/) noexcept override {
    epoll_event events[256];
    const int count = ::epoll_wait(epoll_fd, events, 256, -1);
    for (int i = 0; i < count; ++i) {
      auto* waiting = static_cast<Waiting*>(events[i].data.ptr);
      if (fibers::context* fiber = std::exchange(waiting->fiber, nullptr)) fibers::context::active()->schedule(fiber);
    }
  }
  void notify() noexcept override {}
};

void watch(Waiting& waiting) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLET;
  event.data.ptr = &waiting;
  ::epoll_ctl(epoll_fd, EPOLL_CTL_ADD, waiting.fd, &event);
}

bool send_all(Waiting& peer, const char* bytes, std::size_t size) {
  while (size > 0) {
    const ssize_t sent = ::send(peer.fd, bytes, size, MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno != EAGAIN) return false;
      peer.wait();
    } else {
      bytes += sent;
      size -= static_cast<std::size_t>(sent);
    }
  }
  return true;
}

void converse(int fd) {
  Waiting peer{fd};
  watch(peer);
  constexpr std::size_t kSize = 64 * 1024;
  const std::unique_ptr<char[]> buffer(new char[kSize]);
  for (;;) {
    const ssize_t got = ::recv(fd, buffer.get(), kSize, 0);
    if (got < 0 && errno == EAGAIN) {
      peer.wait();
      continue;
    }
    if (got <= 0 || !send_all(peer, buffer.get(), static_cast<std::size_t>(got))) break;
  }
  ::close(fd);
}

}  // namespace

int main(int argc, char** argv) {
  epoll_fd = ::epoll_create1(EPOLL_CLOEXEC);
  fibers::use_scheduling_algorithm<EpollScheduler>();
  Waiting listener{listening_socket(port_of(argc, argv), SOCK_NONBLOCK)};
  watch(listener);
  fibers::pooled_fixedsize_stack stacks(32 * 1024);
  for (;;) {
    const int peer = ::accept4(listener.fd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (peer < 0)
      listener.wait();
    else
      fibers::fiber(std::allocator_arg, stacks, converse, peer).detach();
  }
}
