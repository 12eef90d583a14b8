#include <hawser/serve/stop_watch.h>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <utility>

#include <hawser/base/errors.h>
#include <hawser/base/start_thread.h>
#include <hawser/base/system_calls.h>
#include <hawser/fiber/run.h>

namespace hawser::detail {

StopWatch::StopWatch(StopSignal& stop, std::function<void()> on_stop) : stop_(stop) {
  if (in_fiber()) {
    fibers_.emplace();
    fibers_->spawn([this, act = std::move(on_stop)] {
      set_fiber_name("server stop");
      stop_.wait();
      act();
    });
    return;
  }
  end_.reset(sys::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!end_) throw_errno("eventfd", "");
  thread_ = start_thread("of a server's stop", [this, act = std::move(on_stop)] { watch_on_thread(act); });
}

StopWatch::~StopWatch() {
  if (fibers_) fibers_->cancel();
  if (!thread_.joinable()) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(end_.get(), &one, sizeof one);
  thread_.join();
}

void StopWatch::watch_on_thread(const std::function<void()>& on_stop) noexcept {
  pollfd both[2] = {{.fd = stop_.fileno(), .events = POLLIN, .revents = 0},
                    {.fd = end_.get(), .events = POLLIN, .revents = 0}};
  while (sys::poll(both, 2, -1) < 0 && errno == EINTR) {
  }
  if (stop_.requested()) on_stop();
}

}  // namespace hawser::detail
