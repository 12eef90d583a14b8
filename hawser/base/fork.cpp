#include <hawser/base/fork.h>

#include <pthread.h>

#include <array>
#include <cstddef>
#include <cstdio>
#include <cstdlib>

namespace hawser::detail {

constinit std::atomic<std::uint32_t> g_fork_generation{0};
constinit std::atomic<bool> g_has_forked{false};

namespace {

struct Entry {
  std::mutex* mutex;  // may be null
  ForkOrder order;
  void (*reset)(void* owner) noexcept;
  void* owner;
};

// A handful of singletons register, each once; no allocation, since this runs before main as well.
constexpr std::size_t kMost = 32;
constinit std::mutex g_registration;
constinit std::array<Entry, kMost> g_entries{};
constinit std::size_t g_count = 0;

void before() {
  g_has_forked.store(true, std::memory_order_relaxed);
  g_registration.lock();
  for (const ForkOrder order : {ForkOrder::outer, ForkOrder::inner}) {
    for (std::size_t i = g_count; i-- > 0;) {
      if (g_entries[i].mutex && g_entries[i].order == order) g_entries[i].mutex->lock();
    }
  }
}

void release() {
  for (std::size_t i = 0; i < g_count; ++i) {
    if (g_entries[i].mutex) g_entries[i].mutex->unlock();
  }
  g_registration.unlock();
}

void in_child() {
  g_fork_generation.fetch_add(1, std::memory_order_relaxed);
  for (std::size_t i = 0; i < g_count; ++i) {
    if (g_entries[i].reset) g_entries[i].reset(g_entries[i].owner);
  }
  release();
}

void add(const Entry& entry) {
  const std::lock_guard hold(g_registration);
  if (g_count == kMost || (g_count == 0 && ::pthread_atfork(&before, &release, &in_child) != 0)) {
    std::fputs("hawser: cannot prepare for fork(2)\n", stderr);
    std::abort();
  }
  g_entries[g_count++] = entry;
}

// The generation counts also when nothing else is registered.
[[maybe_unused]] const bool g_counting = [] {
  reset_after_fork(nullptr, nullptr);
  return true;
}();

}  // namespace

void hold_over_fork(std::mutex& mutex, ForkOrder order, void (*reset)(void* owner) noexcept, void* owner) {
  add({&mutex, order, reset, owner});
}

void reset_after_fork(void (*reset)(void* owner) noexcept, void* owner) {
  add({nullptr, ForkOrder::outer, reset, owner});
}

}  // namespace hawser::detail
