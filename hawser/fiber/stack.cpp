#include <hawser/fiber/stack.h>

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <new>

#include <hawser/base/system_calls.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102  // newer than Debian 12's headers
#endif

namespace hawser::detail {
namespace {

constexpr std::size_t kMaxStacksInSlab = 256;
constexpr std::size_t kLeastBytes = 16 * 1024;

std::size_t page_bytes() { return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)); }

std::atomic<bool> g_guard_by_madvise{true};

}  // namespace

StackPool::StackPool(std::size_t usable_bytes) {
  const std::size_t page = page_bytes();
  usable_ = (std::max(usable_bytes, kLeastBytes) + page - 1) / page * page;
  stride_ = usable_ + page;
}

StackPool::~StackPool() {
  for (const Slab& slab : slabs_) ::munmap(slab.base, slab.bytes);
}

bool StackPool::guard(std::byte* page) noexcept {
  if (g_guard_by_madvise.load(std::memory_order_relaxed)) {
    if (sys::madvise(page, page_bytes(), MADV_GUARD_INSTALL) == 0) return true;
    g_guard_by_madvise.store(false, std::memory_order_relaxed);
  }
  return sys::mprotect(page, page_bytes(), PROT_NONE) == 0;
}

void StackPool::grow() {
  const std::size_t bytes = stride_ * stacks_in_next_slab_;
  void* mapped =
      sys::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  auto* base = static_cast<std::byte*>(mapped);
  sys::madvise(base, bytes, MADV_NOHUGEPAGE);
  slabs_.push_back({base, bytes});
  free_.reserve(free_.size() + stacks_in_next_slab_);
  std::size_t made = 0;
  for (; made < stacks_in_next_slab_ && guard(base + made * stride_); ++made) {
  }
  // The first stack of the slab is handed out first.
  for (std::size_t i = made; i-- > 0;) {
    std::byte* low = base + i * stride_ + page_bytes();
    free_.push_back({low, low + usable_});
  }
  mapped_.add(made);
  free_count_.set(free_.size());
  if (made == 0) throw std::bad_alloc();
  stacks_in_next_slab_ = std::min(stacks_in_next_slab_ * 2, kMaxStacksInSlab);
}

Stack StackPool::take() {
  if (free_.empty()) grow();
  const Stack stack = free_.back();
  free_.pop_back();
  free_count_.set(free_.size());
  return stack;
}

void StackPool::give_back(Stack stack) noexcept {
  sys::madvise(stack.low, stack.size(), MADV_DONTNEED);  // guards survive this
  free_.push_back(stack);                                // room was reserved when the stack was made
  free_count_.set(free_.size());
}

bool StackPool::in_guard(const void* address, Stack& owner) const noexcept {
  const auto* at = static_cast<const std::byte*>(address);
  for (const Slab& slab : slabs_) {
    if (at < slab.base || at >= slab.base + slab.bytes) continue;
    const std::size_t index = static_cast<std::size_t>(at - slab.base) / stride_;
    std::byte* low = slab.base + index * stride_ + page_bytes();
    owner = {low, low + usable_};
    return at < low;
  }
  return false;
}

}  // namespace hawser::detail
