// A network of one's own, with nothing but a loopback interface, for tests that change settings or need a clean one.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <functional>
#include <string>
#include <utility>

namespace hawser::testing {

// Into a new network; who is not root becomes that in a user namespace of its own.
inline bool enter_own_network() {
  if (::unshare(CLONE_NEWNET) == 0) return true;
  const std::string uid = "0 " + std::to_string(::getuid()) + " 1", gid = "0 " + std::to_string(::getgid()) + " 1";
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) return false;
  for (const auto& [path, text] : {std::pair<const char*, std::string>{"/proc/self/uid_map", uid},
                                   {"/proc/self/setgroups", "deny"},
                                   {"/proc/self/gid_map", gid}}) {
    const int file = ::open(path, O_WRONLY | O_CLOEXEC);
    if (::write(file, text.data(), text.size()) < 0) return false;
    ::close(file);
  }
  return true;
}

// Runs body in a child process in a new namespace; its failures end the child, which fails the test. False when this
// system does not let us have one.
inline bool in_own_network(const std::function<void()>& body) {
  constexpr int kRefused = 77;
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    if (!enter_own_network()) ::_exit(kRefused);
    const int probe = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ifreq request{};
    std::strcpy(request.ifr_name, "lo");
    request.ifr_flags = IFF_UP;
    if (::ioctl(probe, SIOCSIFFLAGS, &request) < 0) ::_exit(kRefused);
    ::close(probe);
    try {
      body();
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
    std::fflush(nullptr);
    ::_exit(::testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == kRefused) return false;
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  return true;
}

}  // namespace hawser::testing
