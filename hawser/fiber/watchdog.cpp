#include <hawser/fiber/watchdog.h>

#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>

#include <fmt/format.h>

#include <hawser/base/fork.h>
#include <hawser/base/log.h>
#include <hawser/base/made_once.h>
#include <hawser/base/start_thread.h>
#include <hawser/fiber/dump_text.h>
#include <hawser/fiber/loop.h>
#include <hawser/fiber/stack_probe.h>
#include <hawser/fiber/switch.h>

namespace hawser {
namespace {

using detail::Loop;

constexpr Duration kShortestThreshold = std::chrono::milliseconds(1);
constexpr int kLooksInThreshold = 4;

// What was last seen of a loop.
struct Sight {
  std::uint64_t switches = 0;
  Clock::time_point since;
  bool in_fiber = false;
  std::optional<std::string> reported;  // the fiber of this slice
};

using Sights = std::map<const Loop*, Sight>;

class Watchdog {
 public:
  Watchdog() {
    // The thread is the parent's. Its handle can't be destroyed where there is no such thread.
    detail::hold_over_fork(
        mutex_, detail::ForkOrder::outer,
        [](void* self) noexcept {
          auto& watchdog = *static_cast<Watchdog*>(self);
          watchdog.thread_ = nullptr;
          // The parent's thread may be waiting in the one, and be changing the other.
          new (&watchdog.changed_) std::condition_variable();
          new (&watchdog.sights_) Sights();
          watchdog.stop_ = false;
          watchdog.decided_ = false;
        },
        this);
    detail::hold_over_fork(starting_, detail::ForkOrder::outer, nullptr, nullptr);
  }

  void start(Duration threshold) {
    detail::prepare_probes();
    const std::lock_guard one_at_a_time(starting_);
    const std::lock_guard hold(mutex_);
    decided_ = true;
    threshold_ = threshold;
    if (thread_) return changed_.notify_all();
    start_thread();
  }

  void start_by_default(Duration threshold) {
    detail::prepare_probes();
    const std::lock_guard one_at_a_time(starting_);
    const std::lock_guard hold(mutex_);
    if (decided_) return;
    threshold_ = threshold;
    try {
      start_thread();
      decided_ = true;
    } catch (const std::exception& error) {
      // A run that nobody watches is better than none. The next one asks again.
      log_line(LogLevel::warning, std::string("no watchdog: ") + error.what());
    }
  }

  void stop() noexcept {
    const std::lock_guard one_at_a_time(starting_);
    std::unique_lock hold(mutex_);
    decided_ = true;
    if (!thread_) return;
    stop_ = true;
    changed_.notify_all();
    hold.unlock();
    thread_->join();
    hold.lock();
    delete thread_;
    thread_ = nullptr;
    stop_ = false;
  }

 private:
  void start_thread() {
    thread_ = new std::thread(detail::start_quiet_thread("of the watchdog", [this] { watch(); }));
  }

  void watch() {
    std::unique_lock hold(mutex_);
    while (!stop_) {
      changed_.wait_for(hold, threshold_ / kLooksInThreshold);
      const Duration threshold = threshold_;
      if (stop_) return;
      hold.unlock();
      for (Loop* loop = Loop::newest(); loop; loop = loop->made_before()) {
        if (!loop->abandoned()) look(*loop, threshold);
      }
      hold.lock();
    }
  }

  void look(const Loop& loop, Duration threshold) noexcept {
    try {
      Sight& sight = sights_[&loop];
      const std::uint64_t switches = loop.switches();
      const bool in_fiber = loop.thread() && loop.running();
      const Clock::time_point now = Clock::now();
      if (!in_fiber || !sight.in_fiber || switches != sight.switches) {
        if (sight.reported) report_end(loop, sight, now);
        sight = {.switches = switches, .since = now, .in_fiber = in_fiber, .reported = std::nullopt};
        return;
      }
      if (!sight.reported && now - sight.since >= threshold) report(loop, sight, now);
    } catch (...) {
      // No memory to report with: the next look may have.
    }
  }

  static void report(const Loop& loop, Sight& sight, Clock::time_point now) {
    const detail::ProbedStack probed = detail::probe_stack(loop, std::chrono::milliseconds(100));
    if (probed.answered && (!probed.in_fiber || probed.switches != sight.switches)) return;  // it has just ended
    sight.reported = probed.answered ? probed.fiber : "?";
    std::string text = fmt::format("fiber '{}' has held loop {} for {} without yielding:\n", *sight.reported,
                                   loop.index(), detail::in_seconds(now - sight.since));
    detail::append_stack(text, probed.stack);
    text.pop_back();
    log_line(LogLevel::warning, text);
  }

  static void report_end(const Loop& loop, const Sight& sight, Clock::time_point now) {
    log_line(LogLevel::warning, fmt::format("fiber '{}' let go of loop {} after {}", *sight.reported, loop.index(),
                                            detail::in_seconds(now - sight.since)));
  }

  std::mutex starting_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::thread* thread_ = nullptr;
  Duration threshold_{};
  bool stop_ = false;
  bool decided_ = false;  // by the program or by default
  Sights sights_;         // the thread's own
};

constinit detail::MadeOnce<Watchdog> g_watchdog;
[[maybe_unused]] const bool g_made_early = (g_watchdog.get(), true);

}  // namespace

void start_watchdog(Duration threshold) {
  if (threshold < kShortestThreshold) throw std::invalid_argument("start_watchdog: less than a millisecond");
  g_watchdog.get().start(threshold);
}

void stop_watchdog() noexcept { g_watchdog.get().stop(); }

void detail::start_default_watchdog() {
#if !defined(NDEBUG) && !defined(HAWSER_ASAN) && !defined(HAWSER_TSAN)  // under those everything is slow
  g_watchdog.get().start_by_default(kWatchdogThreshold);
#endif
}

}  // namespace hawser
