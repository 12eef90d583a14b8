// recvmsg(2) and sendmsg(2), to which all others of sockets come down, without waiting in the kernel. Internal.
#pragma once

#include <sys/socket.h>

namespace hawser::patch {

// In a fiber. Fails with ENOTSOCK as the call does.
[[nodiscard]] ssize_t receive(const char* call, int fd, msghdr& message, int flags) noexcept;
[[nodiscard]] ssize_t transmit(const char* call, int fd, const msghdr& message, int flags) noexcept;

}  // namespace hawser::patch
