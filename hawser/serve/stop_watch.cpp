#include <hawser/serve/stop_watch.h>

#include <poll.h>

#include <cerrno>
#include <utility>

#include <hawser/base/bell.h>
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
  end_ = make_bell();
  thread_ = start_thread("of a server's stop", [this, act = std::move(on_stop)] { watch_on_thread(act); });
}

StopWatch::~StopWatch() {
  if (fibers_) fibers_->cancel();
  if (!thread_.joinable()) return;
  ring_bell(end_.get());
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
