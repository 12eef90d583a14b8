// Loop: the scheduler of one thread: a queue of ready work, timers, an inbox for other threads, and an engine that
// waits when there is nothing to do. Internal.
//
// Fibers switch straight to the next ready one. Only when none is ready, or after kSlicesATurn of them, does control go
// back to the loop's own flow, which asks the engine, the inbox and the timers. Loops are never destroyed: they go back
// to a store and serve the next run(), so that a Watch or a Fiber may be reached from any thread without asking whether
// its loop is still there.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include <hawser/base/clock.h>
#include <hawser/fiber/context.h>
#include <hawser/fiber/counters.h>
#include <hawser/fiber/engine.h>
#include <hawser/fiber/idle_spin.h>
#include <hawser/fiber/inbox.h>
#include <hawser/fiber/runnable.h>
#include <hawser/fiber/stack.h>
#include <hawser/fiber/tally.h>
#include <hawser/fiber/task_state.h>
#include <hawser/fiber/timers.h>

namespace hawser::detail {

class Runtime;
class Loop;
struct DebugLayout;

// The loop that runs on this thread. At a fixed place from the thread's pointer, also when the code is to be part of a
// shared library: reading it is two instructions and no call then.
[[gnu::tls_model("initial-exec")]] extern constinit thread_local Loop* t_loop;

class Loop {
 public:
  Loop(std::size_t stack_bytes, EngineKind engine);
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop() = delete;

  // The loop that runs on this thread; null outside run().
  static Loop* current() noexcept { return t_loop; }
  // The fiber that runs on this thread; null between fibers and outside run().
  static Fiber* current_fiber() noexcept { return t_loop ? t_loop->running() : nullptr; }
  // Every loop there has ever been, the newest first. Any thread.
  static Loop* newest() noexcept { return g_newest.load(std::memory_order_acquire); }
  [[nodiscard]] Loop* made_before() const noexcept { return made_before_; }

  // Before run(), on any thread; here: run() will be called on this very one. why: for engine_reason(). Throws
  // SystemError.
  void prepare(bool here, const std::string& why);
  // Turns until the runtime says that all loops are done.
  void run(Runtime& runtime, int index);

  // The loop's thread, inside a fiber or between fibers.
  void make_ready(Fiber& fiber) noexcept { ready_.push(fiber); }
  // make_ready() for a fiber whose wait is over, asked for on this thread or by another.
  void wake_here(Fiber& fiber) noexcept {
    ++counts_.wakes_here;
    make_ready(fiber);
  }
  void wake_across(Fiber& fiber) noexcept {
    ++counts_.wakes_across;
    make_ready(fiber);
  }
  // suspend() for a wait: a fiber's own timer ends it at the expiry.
  void park(Fiber& fiber, Expiry expiry) noexcept;
  void count_fired_timer() noexcept { ++counts_.timers_fired; }
  void start(TaskRef task) noexcept;
  // Leaves the running fiber for the next one; returns when it is made ready again.
  void suspend() noexcept;
  // suspend() with the running fiber at the end of the queue.
  void yield() noexcept;
  void cancel_all() noexcept;

  // In a forked child, for a loop of the parent: nothing that is sent to it wakes anybody any more.
  void abandon() noexcept;
  [[nodiscard]] bool abandoned() const noexcept { return abandoned_; }

  // visit(fiber) for those that run a task, visit(runnable) for what waits for its turn.
  template <class Visit>
  void for_each_live(Visit&& visit) const {
    for (const Fiber* fiber = live_; fiber; fiber = fiber->next_live) visit(*fiber);
  }
  template <class Visit>
  void for_each_ready(Visit&& visit) const {
    ready_.for_each(visit);
  }

  // Any thread.
  void post(Message& message) noexcept;

  // The loop's thread. The watch belongs to the loop; retire() gives it back, from any thread.
  [[nodiscard]] Watch& add_watch(int fd, bool bound);
  void retire(Watch& watch) noexcept;
  // For tests that put words into the kernel's mouth: the watch is reported ready, both ways and to the end, at the
  // next turn.
  void report_again(Watch& watch) noexcept;
  [[nodiscard]] Watch* find_watch(std::uint32_t slot, std::uint32_t generation) noexcept {
    Watch& watch = watch_at(slot);
    return watch.generation == generation ? &watch : nullptr;
  }

  // Any thread may ask whether there is one; only the loop's own may look at it.
  [[nodiscard]] Fiber* running() const noexcept { return running_.load(std::memory_order_relaxed); }
  [[nodiscard]] Timers& timers() noexcept { return timers_; }
  [[nodiscard]] Engine& engine() noexcept { return *engine_; }
  [[nodiscard]] EngineKind engine_kind() const noexcept { return engine_kind_; }
  [[nodiscard]] const std::string& engine_reason() const noexcept { return engine_reason_; }
  [[nodiscard]] Runtime* runtime() const noexcept { return runtime_; }
  // Any thread, like those that follow. -1: no run() uses the loop.
  [[nodiscard]] int index() const noexcept { return index_.load(std::memory_order_relaxed); }
  // The thread that runs it, as gettid(2) says; 0 when none does.
  [[nodiscard]] int thread() const noexcept { return thread_.load(std::memory_order_acquire); }
  // When the present turn began, by the coarse clock: good enough to tell since when something waits.
  [[nodiscard]] Clock::time_point turn_began() const noexcept {
    return Clock::time_point(Duration(turn_began_.load(std::memory_order_relaxed)));
  }
  [[nodiscard]] std::uint64_t switches() const noexcept { return counts_.switches; }
  [[nodiscard]] LoopCounters counters() const noexcept;
  [[nodiscard]] const StackPool& stacks() const noexcept { return stacks_; }
  [[nodiscard]] std::size_t stack_bytes() const noexcept { return stacks_.usable_bytes(); }

 private:
  static constexpr int kSlicesATurn = 256;
  static constexpr std::size_t kWarmFibers = 256;
  static constexpr std::uintptr_t kStackColours = 24;

  [[nodiscard]] Watch& watch_at(std::uint32_t slot) noexcept {
    return (*watches_[slot / kWatchesABlock])[slot % kWatchesABlock];
  }
  void add_watch_block();

  static void fiber_entry(Flow& self);
  void turn();
  // With nothing to do: asks again and again for a little while, where that pays. True when there is something to do.
  bool poll_a_while();
  void sleep();
  void deliver_messages() noexcept;
  void fire_timers();
  void run_ready();
  Fiber* next_fiber(Fiber* finished) noexcept;
  Fiber* next_resumed() noexcept;
  void go_to(Fiber* next, Flow& from) noexcept;
  [[nodiscard]] Fiber* idle_fiber();
  void recycle(Fiber& fiber) noexcept;
  void release(Fiber& fiber) noexcept;
  void adopt(Fiber& fiber, TaskState& task) noexcept;
  void let_go(Fiber& fiber) noexcept;
  [[nodiscard]] bool finished() noexcept;

  struct Counts {
    Tally switches;
    Tally parks;
    Tally wakes_here;
    Tally wakes_across;
    Tally turns;
    Tally polls;
    Tally sleeps;
    Tally timers_started;
    Tally timers_fired;
    Tally tasks;
    Tally fibers_created;
  };
  static constinit std::atomic<Loop*> g_newest;
  friend struct DebugLayout;

  Flow* flow_ = nullptr;  // the thread's own stack, while run() is on it
  std::atomic<Fiber*> running_{nullptr};
  Counts counts_;
  RunQueue ready_;
  int slices_left_ = 0;
  Timers timers_;
  StackPool stacks_;
  Fiber* idle_ = nullptr;  // fibers that wait for a task, warm
  Tally idle_count_;
  std::uintptr_t colour_ = 0;
  Fiber* live_ = nullptr;  // fibers that run a task
  Tally live_count_;
  Tally unstarted_;
  TaskState* starved_ = nullptr;  // a task for which no stack was to be had this turn

  Inbox inbox_;
  std::atomic<bool> asleep_{false};
  IdleSpin idle_spin_;
  const EngineKind engine_kind_;
  std::string engine_reason_;
  std::unique_ptr<Engine> engine_;
  // In blocks, so that their addresses are stable.
  static constexpr std::size_t kWatchesABlock = 32;
  using WatchBlock = std::array<Watch, kWatchesABlock>;
  std::vector<std::unique_ptr<WatchBlock>> watches_;
  std::vector<std::uint32_t> free_watches_;

  Runtime* runtime_ = nullptr;
  std::atomic<int> index_{-1};
  std::atomic<int> thread_{0};
  std::atomic<Duration::rep> turn_began_{0};
  Loop* made_before_ = nullptr;
  const DebugLayout* debug_layout_ = nullptr;  // kept so that the linker keeps it
  bool counted_idle_ = false;
  bool abandoned_ = false;
};

}  // namespace hawser::detail
