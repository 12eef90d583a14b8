// tcp_was_connected: what a TCP socket tells of a connection that has ended. Internal.
#pragma once

namespace hawser::detail {

// Whether there was a connection of which nobody took note: one that was made without waiting for it, or before the
// socket was taken over. False for what is not TCP.
[[nodiscard]] bool tcp_was_connected(int fd) noexcept;

}  // namespace hawser::detail
