// once_free: binds, and has a little patience when the address is in use. Internal.
//
// A process that was killed while it waited by io_uring keeps its sockets for some milliseconds after it has been
// waited for: the kernel takes rings apart behind its back. Whoever starts a server again at once would be told that
// the address is in use by somebody who is no more. So EADDRINUSE counts only when it lasts.
#pragma once

#include <cerrno>
#include <chrono>

#include <hawser/base/errors.h>
#include <hawser/fiber/run.h>

namespace hawser::detail {

// Calls bind() again while it throws EADDRINUSE, for a sixth of a second. Throws what bind() throws, DeadlineExceeded,
// Cancelled.
template <class Bind>
void once_free(const Bind& bind) {
  using std::chrono::milliseconds;
  for (const milliseconds pause :
       {milliseconds(5), milliseconds(10), milliseconds(20), milliseconds(40), milliseconds(80)}) {
    try {
      return bind();
    } catch (const SystemError& error) {
      if (error.error_number() != EADDRINUSE) throw;
    }
    sleep(pause);
  }
  bind();
}

}  // namespace hawser::detail
