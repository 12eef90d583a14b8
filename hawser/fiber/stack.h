// Stacks for fibers: carved out of large mappings, guarded, pooled and trimmed. Internal; one pool a loop, used by that
// loop's thread only.
//
// Below each stack lies a guard: MADV_GUARD_INSTALL (madvise(2), Linux 6.13) where the kernel has it, which costs no
// extra mapping, else mprotect(2), which ends at vm.max_map_count. Memory is committed as it is touched; huge pages are
// refused, since they would commit 2 MiB for a fiber that uses one page.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <hawser/fiber/tally.h>

namespace hawser::detail {

struct Stack {
  std::byte* low = nullptr;  // lowest usable byte; the guard ends here
  std::byte* high = nullptr;
  [[nodiscard]] std::size_t size() const noexcept { return static_cast<std::size_t>(high - low); }
};

class StackPool {
 public:
  // usable_bytes of each stack, rounded up to pages.
  explicit StackPool(std::size_t usable_bytes);
  StackPool(const StackPool&) = delete;
  StackPool& operator=(const StackPool&) = delete;
  ~StackPool();

  // A stack whose content is undefined. Throws std::bad_alloc when no further guarded stack is to be had.
  [[nodiscard]] Stack take();
  // Gives one back; its pages may be returned to the system.
  void give_back(Stack stack) noexcept;

  [[nodiscard]] std::size_t usable_bytes() const noexcept { return usable_; }
  // How many there are, and how many of them wait to be taken. Any thread.
  [[nodiscard]] std::uint64_t mapped() const noexcept { return mapped_; }
  [[nodiscard]] std::uint64_t free() const noexcept { return free_count_; }
  // True when the address lies in the guard of one of the pool's stacks; then `owner` is the stack it belongs to.
  // Async-signal-safe as long as the pool is not growing.
  [[nodiscard]] bool in_guard(const void* address, Stack& owner) const noexcept;

 private:
  struct Slab {
    std::byte* base;
    std::size_t bytes;
  };
  void grow();
  [[nodiscard]] bool guard(std::byte* page) noexcept;

  std::size_t usable_;
  std::size_t stride_;
  std::size_t stacks_in_next_slab_ = 16;
  std::vector<Slab> slabs_;
  std::vector<Stack> free_;
  Tally mapped_;
  Tally free_count_;
};

}  // namespace hawser::detail
