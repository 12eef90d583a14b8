// Identity: a number for each fiber's task and each plain thread that something must be told apart by: the owner of an
// RLock, the holder of a lock whose waits are tracked. Unlike an address or a thread id, it is never used again.
// Internal.
#pragma once

#include <cstdint>

namespace hawser::detail {

using Identity = std::uint64_t;  // 0: nobody

// Of the running fiber's task; of the thread outside fibers. Given out when first asked for.
[[nodiscard]] Identity current_identity() noexcept;

[[nodiscard]] Identity fresh_identity() noexcept;

}  // namespace hawser::detail
