// A fence between threads whose price only one side pays. Internal.
//
// Dekker's pattern (I write mine and read yours, you write yours and read mine; one of us must see the other) takes a
// full fence on both sides, some twenty cycles each time. Where one side is hot and the other rare, the hot one writes,
// calls light_fence() and reads; the rare one writes, calls heavy_fence() and reads: that makes every other running
// thread of the process pass a full fence, for about a microsecond.
//
// Source: membarrier(2), MEMBARRIER_CMD_PRIVATE_EXPEDITED.
#pragma once

#include <atomic>

namespace hawser::detail {

// Whether the kernel has such a fence and lets us have it. When not, both sides need full fences. Never changes.
[[nodiscard]] bool asymmetric_fences() noexcept;

// Costs no instruction: it keeps the compiler from moving the read before the write.
inline void light_fence() noexcept { std::atomic_signal_fence(std::memory_order_seq_cst); }

// Precondition: asymmetric_fences().
void heavy_fence() noexcept;

}  // namespace hawser::detail
