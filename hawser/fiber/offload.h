// offload: runs a function that blocks (disk, DNS, hashing, a C library) on a pool thread while only this fiber waits.
//
//   std::string text = offload([&] { return read_file(path); });
//
// The pool starts threads as they are needed, at most offload_limits().threads; further callers wait in line, first
// come, first served. On a plain thread the function runs right there. The call returns when the function has
// ended: a deadline or a cancellation that comes meanwhile is thrown only then, so that what the function borrowed from
// the caller's stack stays valid. A call still in line is taken back at once.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>

namespace hawser {

struct OffloadLimits {
  std::size_t threads = 16;
};

[[nodiscard]] OffloadLimits offload_limits() noexcept;
// Before the first offload() of the process; std::logic_error afterwards.
void set_offload_limits(OffloadLimits limits);

namespace detail {
void offload_call(std::function<void()> call);
}

// Rethrows what the function throws. Throws DeadlineExceeded, Cancelled; SystemError when the pool has no thread and
// gets none: as long as it has one, that comes round to everything.
template <class F>
auto offload(F&& function) -> std::invoke_result_t<F&> {
  using Result = std::invoke_result_t<F&>;
  if constexpr (std::is_void_v<Result>) {
    detail::offload_call([&function] { function(); });
  } else {
    std::optional<Result> result;
    detail::offload_call([&] { result.emplace(function()); });
    return std::move(*result);
  }
}

}  // namespace hawser
