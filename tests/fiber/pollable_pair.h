// Pair: two ends of a stream as Pollables, and how a byte is read from one.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>

#include <hawser/base/errors.h>
#include <hawser/base/fd.h>
#include <hawser/fiber/pollable.h>
#include <hawser/fiber/waiter.h>

namespace hawser::testing {

inline const std::string kName = "descriptor";

struct Pair {
  Pair() {
    int fds[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0) throw_errno("socketpair", "");
    a = std::make_unique<Pollable>(UniqueFd(fds[0]));
    b = std::make_unique<Pollable>(UniqueFd(fds[1]));
  }
  std::unique_ptr<Pollable> a, b;
};

// One byte; 0 at the end. What wait() says when it is not ready is thrown.
inline char read_one(Pollable& p, Expiry expiry = Expiry::never()) {
  Pollable::Use use(p, Direction::read, "read", kName);
  for (;;) {
    char c = 0;
    if (use.maybe_ready()) {
      const ssize_t n = ::read(use.fd(), &c, 1);
      if (n >= 0) return n ? c : '\0';
      if (errno != EAGAIN) throw_errno("read", kName);
      use.drained();
    }
    throw_unless_ready(use.wait(expiry), "read");
  }
}

}  // namespace hawser::testing
