#include <hawser/fiber/run.h>

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

#include <hawser/base/errors.h>
#include <hawser/base/fork.h>
#include <hawser/base/log.h>
#include <hawser/base/made_once.h>
#include <hawser/base/start_thread.h>
#include <hawser/fiber/cancellation.h>
#include <hawser/fiber/context.h>
#include <hawser/fiber/loop.h>
#include <hawser/fiber/overflow.h>
#include <hawser/fiber/runtime.h>
#include <hawser/fiber/task_state.h>
#include <hawser/fiber/wait_graph.h>
#include <hawser/fiber/waiter.h>
#include <hawser/fiber/watchdog.h>

namespace hawser {
namespace detail {
namespace {

// Loops that no run() uses now.
class LoopStore {
 public:
  LoopStore() { hold_over_fork(mutex_, ForkOrder::outer, &LoopStore::in_child, this); }

  // With the first engine of those HAWSER_ENGINE asks for that is to be had. here: it will run on this thread.
  Loop* take(std::size_t stack_bytes, bool here) {
    std::lock_guard hold(mutex_);
    EngineWish wish = wished_engines();
    for (std::size_t i = 0;; ++i) {
      const EngineKind kind = wish.kinds[i];
      try {
        return prepared(stack_bytes, here, kind, wish.why);
      } catch (const SystemError& error) {
        if (i + 1 < wish.kinds.size()) {
          wish.why = error.what();
        } else if (kind == EngineKind::uring) {
          throw SystemError(error.error_number(), "HAWSER_ENGINE=uring: " + error.operation(), error.object());
        } else {
          throw;
        }
      }
    }
  }
  void give_back(Loop* loop) {
    std::lock_guard hold(mutex_);
    loops_.push_back(loop);
  }

 private:
  // A child must not touch its parent's loops: they share descriptors and memory with the kernel.
  static void in_child(void* self) noexcept {
    auto& store = *static_cast<LoopStore*>(self);
    t_loop = nullptr;
    for (Loop* loop : store.every_) loop->abandon();
    store.loops_.clear();
  }

  Loop* prepared(std::size_t stack_bytes, bool here, EngineKind kind, const std::string& why) {
    const auto fits = [&](const Loop* loop) {
      return loop->engine_kind() == kind && loop->stack_bytes() >= stack_bytes &&
             loop->stack_bytes() <= 2 * stack_bytes;
    };
    auto found = std::find_if(loops_.begin(), loops_.end(), fits);
    if (found == loops_.end()) {
      every_.push_back(new Loop(stack_bytes, kind));
      loops_.push_back(every_.back());
      found = loops_.end() - 1;
    }
    Loop* const loop = *found;
    loop->prepare(here, why);
    loops_.erase(found);
    return loop;
  }

  std::mutex mutex_;
  std::vector<Loop*> loops_;
  std::vector<Loop*> every_;  // keeps them reachable: they are never destroyed
};

constinit MadeOnce<LoopStore> g_loops;
[[maybe_unused]] const bool g_made_early = (g_loops.get(), true);

// AddressSanitizer gives every variable a surrounding of its own: frames grow by a multiple.
#if defined(HAWSER_ASAN)
constexpr std::size_t kStackFactor = 4;
#else
constexpr std::size_t kStackFactor = 1;
#endif

int processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) < 0) return 1;
  return std::max(1, CPU_COUNT(&set));
}

class Borrowed {
 public:
  Borrowed(int count, std::size_t stack_bytes) {
    loops.reserve(static_cast<std::size_t>(count));
    try {
      for (int i = 0; i < count; ++i) loops.push_back(g_loops.get().take(stack_bytes, i == 0));
    } catch (...) {
      give_back();
      throw;
    }
  }
  Borrowed(const Borrowed&) = delete;
  Borrowed& operator=(const Borrowed&) = delete;
  ~Borrowed() { give_back(); }
  std::vector<Loop*> loops;

 private:
  void give_back() noexcept {
    for (Loop* loop : loops) g_loops.get().give_back(loop);
  }
};

struct StopAtEnd final : TaskObserver {
  explicit StopAtEnd(Runtime& r) : runtime(r) {}
  void task_ended(TaskState&) noexcept override { runtime.stop(); }
  Runtime& runtime;
};

// A loop whose engine fails in the middle can't wake its fibers any more, nor end them.
void run_loop(Runtime& runtime, int index) noexcept {
  const OverflowReport report(runtime.loop(index));
  try {
    runtime.loop(index).run(runtime, index);
  } catch (const std::exception& error) {
    log_line(LogLevel::error, "loop " + std::to_string(index) + " cannot go on: " + error.what());
    std::terminate();
  }
}

// The threads of all loops but the first. None turns before each is there: a loop that has turned could only be ended
// by all of them together.
class LoopThreads {
 public:
  explicit LoopThreads(Runtime& runtime) {
    threads_.reserve(static_cast<std::size_t>(runtime.size() - 1));
    try {
      for (int i = 1; i < runtime.size(); ++i) {
        threads_.push_back(start_thread("of loop " + std::to_string(i), [this, &runtime, i] {
          word_.wait(kWait, std::memory_order_acquire);
          if (word_.load(std::memory_order_acquire) == kGo) run_loop(runtime, i);
        }));
      }
    } catch (...) {
      say(kLeave);
      join();
      throw;
    }
  }
  LoopThreads(const LoopThreads&) = delete;
  LoopThreads& operator=(const LoopThreads&) = delete;
  ~LoopThreads() {
    if (word_.load(std::memory_order_relaxed) == kWait) say(kLeave);
    join();
  }
  void go() noexcept { say(kGo); }
  void join() noexcept {
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

 private:
  enum Word : int { kWait, kGo, kLeave };

  void say(Word word) noexcept {
    word_.store(word, std::memory_order_release);
    word_.notify_all();
  }

  std::atomic<int> word_{kWait};
  std::vector<std::thread> threads_;
};

struct StartMain : Message {
  TaskRef task;
};

}  // namespace

void Runtime::stop() noexcept {
  if (stopping_.exchange(true, std::memory_order_acq_rel)) return;
  for (Loop* loop : loops_) {
    auto* message = new Message();
    message->deliver = [](Message& arrived, Loop& here) noexcept {
      delete &arrived;
      here.cancel_all();
    };
    loop->post(*message);
  }
}

void Runtime::loop_is_empty() noexcept {
  if (busy_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  for (Loop* loop : loops_) loop->engine().wake();
}

void run_main(const RunOptions& options, std::function<void()> main) {
  if (Loop::current()) throw std::logic_error("run: called inside run()");
  if (options.loops < 0) throw std::invalid_argument("run: loops must not be negative");
  start_default_watchdog();
  const Borrowed borrowed(options.loops ? options.loops : processors(), options.stack_bytes * kStackFactor);
  Runtime runtime(borrowed.loops);
  StopAtEnd stop_at_end(runtime);
  LoopThreads threads(runtime);

  TaskRef task = make_task<void>(std::move(main));
  task->set_name("main");
  task->observer = &stop_at_end;
  task->loop = borrowed.loops[0];
  StartMain start;
  start.task = task;
  start.deliver = [](Message& message, Loop& loop) noexcept {
    loop.start(std::move(static_cast<StartMain&>(message).task));
  };
  borrowed.loops[0]->post(start);

  std::optional<TrackedWait> tracked;
  if (waits_are_tracked()) {
    tracked.emplace(task->as_wanted(Wanted::Kind::main), false, TrackedWait::Raise::never);
  }
  threads.go();
  run_loop(runtime, 0);
  threads.join();
  task->rethrow();
}

}  // namespace detail

bool in_fiber() noexcept { return detail::Context::current_fiber() != nullptr; }

void yield() {
  detail::Fiber* fiber = detail::Loop::current_fiber();
  if (!fiber) {
    std::this_thread::yield();
    return;
  }
  if (fiber->cancel_due()) throw_unless_ready(Wake::cancelled, "yield");
  fiber->loop.yield();
}

void sleep(Duration length) {
  const Expiry until = Expiry::in(length);
  if (length == Duration::zero()) return yield();
  Waiter waiter("sleep");
  const Wake why = waiter.park(until);
  if (why != Wake::expired) throw_unless_ready(why, "sleep");
}

int loop_count() noexcept {
  const detail::Loop* loop = detail::Loop::current();
  return loop ? loop->runtime()->size() : 0;
}

int loop_index() noexcept {
  const detail::Loop* loop = detail::Loop::current();
  return loop ? loop->index() : -1;
}

void set_fiber_name(std::string_view name) noexcept {
  if (detail::Fiber* fiber = detail::Context::current_fiber()) fiber->task->set_name(name);
}

std::string fiber_name() {
  const detail::Fiber* fiber = detail::Context::current_fiber();
  return fiber ? fiber->task->name() : "";
}

std::string engine_in_use() {
  if (const detail::Loop* loop = detail::Loop::current()) return loop->engine_reason();
  throw std::logic_error("engine_in_use: outside run()");
}

}  // namespace hawser
