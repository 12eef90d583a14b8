// thread_mark: a number that no other living thread has, for the price of one instruction. Internal.
#pragma once

#include <cstdint>

namespace hawser::detail {

// Never 0, and a multiple of 8, so that the low bits are free: the thread pointer of the ABI.
[[nodiscard]] inline std::uintptr_t thread_mark() noexcept {
  return reinterpret_cast<std::uintptr_t>(__builtin_thread_pointer());
}

}  // namespace hawser::detail
