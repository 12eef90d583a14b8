#include <hawser/fiber/asymmetric_fence.h>

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

#include <hawser/base/made_once.h>

namespace hawser::detail {
namespace {

bool membarrier(int command) noexcept {
  const int saved = errno;
  const bool done = ::syscall(SYS_membarrier, command, 0, 0) == 0;
  errno = saved;
  return done;
}

constinit MadeOnce<bool> g_registered;

}  // namespace

bool asymmetric_fences() noexcept {
  return g_registered.get([] { return membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED); });
}

// Registering while there is one thread costs nothing; later it waits for every processor.
[[maybe_unused]] static const bool g_asked_early = asymmetric_fences();

void heavy_fence() noexcept {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED)) return;
  // Registered, and refused since: a filter of system calls that came later. A write leaves a processor within
  // nanoseconds, and a thread that loses its processor passes a fence; so a pause does it as well.
  const timespec pause{.tv_sec = 0, .tv_nsec = 1'000'000};
  ::nanosleep(&pause, nullptr);
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

}  // namespace hawser::detail
