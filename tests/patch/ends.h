// Descriptors as C programs make them: in blocking mode, and nothing of hawser's on them.
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <string>

#include <hawser/base/errors.h>
#include <hawser/base/fd.h>

namespace hawser::testing {

struct Ends {
  UniqueFd a;
  UniqueFd b;
};

inline Ends socket_ends(int type = SOCK_STREAM) {
  int ends[2];
  if (::socketpair(AF_UNIX, type, 0, ends) < 0) throw_errno("socketpair", "");
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

// a: to read from; b: to write to.
inline Ends pipe_ends() {
  int ends[2];
  if (::pipe(ends) < 0) throw_errno("pipe", "");
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

struct TcpListener {
  UniqueFd fd{::socket(AF_INET, SOCK_STREAM, 0)};
  sockaddr_in address{};
  explicit TcpListener(int backlog = 16) {
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(fd.get(), backlog), 0);
    EXPECT_EQ(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  }
  [[nodiscard]] const sockaddr* name() const { return reinterpret_cast<const sockaddr*>(&address); }
};

inline bool is_blocking(int fd) { return !(::fcntl(fd, F_GETFL) & O_NONBLOCK); }

inline void set_timeout(int fd, int option, int milliseconds) {
  const timeval time{.tv_sec = milliseconds / 1000, .tv_usec = milliseconds % 1000 * 1000};
  ASSERT_EQ(::setsockopt(fd, SOL_SOCKET, option, &time, sizeof time), 0);
}

inline int open_descriptors() {
  int count = 0;
  DIR* directory = ::opendir("/proc/self/fd");
  while (::readdir(directory)) ++count;
  ::closedir(directory);
  return count;
}

}  // namespace hawser::testing
