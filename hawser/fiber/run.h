// run: starts the event loops, runs `main` as the first fiber, and returns what it returns.
//
//   int main() { return run([] { ...; return 0; }); }
//
// Each loop is one thread with one engine; a fiber stays on its loop for life, so nothing it does is moved between
// threads. run() ends when main has ended: fibers still running are cancelled and waited for. An exception from main is
// rethrown by run(). Throws SystemError, and main has not begun, when a loop or its thread is not to be had. May be
// called again, and from several threads at once; not from inside a fiber (std::logic_error).
#pragma once

#include <concepts>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <hawser/base/clock.h>

namespace hawser {

struct RunOptions {
  // Event loops, each a thread; the caller's own thread is the first. 0: one for each core we may use.
  int loops = 1;
  // Virtual size of a fiber's stack; memory is committed as it is touched. Rounded up to pages; at least 16 KiB.
  std::size_t stack_bytes = 256 * 1024;
};

namespace detail {
void run_main(const RunOptions& options, std::function<void()> main);
}

template <class Main>
auto run(RunOptions options, Main&& main) {
  using Result = std::invoke_result_t<Main&>;
  if constexpr (std::is_void_v<Result>) {
    detail::run_main(options, [&main] { main(); });
    return 0;
  } else {
    std::optional<Result> result;
    detail::run_main(options, [&] { result.emplace(main()); });
    return std::move(*result);
  }
}
template <class Main>
requires std::invocable<Main&>
auto run(Main&& main) { return run(RunOptions{}, std::forward<Main>(main)); }

// True inside a fiber.
[[nodiscard]] bool in_fiber() noexcept;

// Lets every other ready fiber of this loop run first. On a plain thread: std::this_thread::yield(). A cancellation
// point on fibers.
void yield();

// Waits. Zero is a yield. On fibers and threads alike; throws DeadlineExceeded, Cancelled, std::invalid_argument for a
// negative length.
void sleep(Duration length);

// How many loops the current run() has, and which of them this is (0-based); 0 and -1 on a plain thread.
[[nodiscard]] int loop_count() noexcept;
[[nodiscard]] int loop_index() noexcept;

// The name shown in dumps and reports. Setting copies at most 31 bytes.
void set_fiber_name(std::string_view name) noexcept;
[[nodiscard]] std::string fiber_name();

// "epoll (the default, and the faster of the two)": which engine this loop runs on, and why. HAWSER_ENGINE in the
// environment chooses, at each run(): auto (which is epoll), epoll, uring, or several in the order of preference:
// "uring,epoll" takes io_uring where it is to be had, goes on with epoll where a kernel, a filter or a limit refuses
// it, and says here what that was. Where none is to be had run() throws SystemError; std::invalid_argument for another
// name. Throws std::logic_error outside run().
[[nodiscard]] std::string engine_in_use();

}  // namespace hawser
