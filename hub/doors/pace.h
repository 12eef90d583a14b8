// The least pace that a peer must keep while bytes move: half a minute of grace, and one KiB a second. Slower than that
// it holds memory and a place for nothing.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>

#include <hawser/base/errors.h>
#include <hawser/fiber/deadline.h>

#include "hub/doors/wire_error.h"

namespace hawser::hub {

inline constexpr std::chrono::seconds kPaceGrace{30};
inline constexpr std::uint64_t kPaceBytesPerSecond = 1024;

// Calls move, which is to send or receive that many bytes. Throws TooSlow.
template <class Move>
decltype(auto) at_pace(std::uint64_t bytes, Move&& move) {
  // Longer waits than this are none that anybody bounds: a single call never moves that much.
  constexpr std::uint64_t kLongest = 24 * 3600;
  const std::uint64_t seconds = std::min(bytes / kPaceBytesPerSecond, kLongest);
  const Deadline pace(kPaceGrace + std::chrono::seconds(seconds), "pace of the peer");
  try {
    return std::forward<Move>(move)();
  } catch (const DeadlineExceeded&) {
    if (!pace.passed()) throw;
    throw TooSlow("the peer is too slow");
  }
}

}  // namespace hawser::hub
