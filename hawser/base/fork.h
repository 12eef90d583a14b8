// How the library's own state comes through fork(2). Internal; what a child may do is told in <hawser/fiber/fork.h>.
//
// The child has one thread, the one that called fork(), and a copy of everything else, including mutexes that threads
// of the parent hold and counts of threads that it does not have. What belongs to the whole process is therefore
// registered here. fork_generation() is for whatever must know by itself that it came from the parent: it differs
// between the two. Sources: fork(2), pthread_atfork(3).
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

namespace hawser::detail {

extern constinit std::atomic<std::uint32_t> g_fork_generation;
extern constinit std::atomic<bool> g_has_forked;

// How many forks lie between this process and the first. Async-signal-safe.
[[nodiscard]] inline std::uint32_t fork_generation() noexcept {
  return g_fork_generation.load(std::memory_order_relaxed);
}

// Whether this process is a child of a fork(), or has made one: then another process may hold its descriptors open.
[[nodiscard]] inline bool has_forked() noexcept { return g_has_forked.load(std::memory_order_relaxed); }

// Where a mutex stands among those that a fork() locks: all outer ones first, and in each of the two kinds the latest
// registered first. So a thread may lock an inner one while it holds an outer one.
enum class ForkOrder : std::uint8_t { outer, inner };

// From now on every fork() happens while the calling thread holds the mutex, so that the child finds what it guards
// whole, and free. reset (may be null) is called in the child with `owner`, while the mutex is held, before fork()
// returns there, the earliest registered first; it must not allocate more than it must, nor touch descriptors that the
// parent shares. Mutex and owner must never be destroyed. To be called before main, or by somebody who holds none of
// them.
void hold_over_fork(std::mutex& mutex, ForkOrder order, void (*reset)(void* owner) noexcept, void* owner);

// Only the call in the child.
void reset_after_fork(void (*reset)(void* owner) noexcept, void* owner);

}  // namespace hawser::detail
