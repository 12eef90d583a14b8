// Thread: runs a function on an operating-system thread of its own, as Python's threading.Thread does.
//
//   Thread worker(count_to, 20, {.name = "counter"});
//   worker.start();
//   if (!worker.join(1s)) ...                       // it still runs
//
//   struct Counter : Thread { void run() override { ... } };      // or a class of one's own
//
// join() waits for the end and rethrows what the thread threw, every time it is asked; a failure that nobody joined
// reaches the hook when the last handle goes, and the hook logs it unless set otherwise. Waiting from a fiber parks
// only the fiber. A thread is no fiber: inside it waiting calls block the thread, and it may call run() for loops of
// its own.
//
// Leaving the Thread's scope waits for its end, unless it is a daemon: that one goes on by itself. A class with run()
// must have ended before its own members go: its destructor calls finish(). One that does not ends the program. When
// the program ends by exit(3) or by the end of main(), threads that are no daemons are waited for, however their Thread
// was kept; daemons are cut off. Not so with _exit(2), and not when a thread itself calls exit(): that one is not
// waited for.
//
// start() and the destructor belong to one context; every other call may come from any thread or fiber. In a forked
// child only the thread that forked is there, and it is the main thread.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <hawser/base/clock.h>
#include <hawser/task/thread_state.h>

namespace hawser {

struct ThreadOptions {
  // Shown by enumerate(); the kernel (ps, top, gdb) keeps the first 15 bytes. Empty: "Thread-1" and so on.
  std::string name = {};
  // The end of the program does not wait for it.
  bool daemon = false;
};

// What all threads share: those that one starts, the main thread, and those that somebody else made.
class AnyThread {
 public:
  [[nodiscard]] std::string name() const { return state_->name(); }
  void set_name(std::string name) const { state_->set_name(std::move(name)); }
  [[nodiscard]] bool daemon() const noexcept { return state_->daemon(); }
  // Started, and not ended.
  [[nodiscard]] bool is_alive() const noexcept { return state_->alive(); }
  // No other living thread has it; 0 before the start.
  [[nodiscard]] std::uint64_t ident() const noexcept { return state_->ident(); }
  // As gettid(2) says; 0 before the start.
  [[nodiscard]] pid_t native_id() const noexcept { return state_->native_id(); }
  // Waits for the end; false when the timeout came first. Rethrows what the thread threw. Throws std::logic_error
  // before the start and in the thread itself; DeadlineExceeded, Cancelled.
  bool join(Timeout timeout = std::nullopt) const {  // NOLINT(modernize-use-nodiscard)
    if (!state_->join(Expiry::of(timeout))) return false;
    state_->rethrow();
    return true;
  }

  friend bool operator==(const AnyThread& a, const AnyThread& b) noexcept { return a.state_ == b.state_; }

 protected:
  explicit AnyThread(std::shared_ptr<detail::ThreadState> state) noexcept : state_(std::move(state)) {}
  std::shared_ptr<detail::ThreadState> state_;

 private:
  friend AnyThread current_thread();
  friend AnyThread main_thread();
  friend std::vector<AnyThread> enumerate();
};

class Thread : public AnyThread {
 public:
  // Without a target: for classes that override run().
  explicit Thread(ThreadOptions options = {});
  // target(arguments…), copied or moved into the thread. More arguments than these: a lambda.
  template <std::invocable<> F>
  explicit Thread(F target, ThreadOptions options = {}) : Thread(std::move(options)) {
    keep(std::move(target));
  }
  template <class F, class A>
  requires std::invocable<F, A> Thread(F target, A a, ThreadOptions options = {}) : Thread(std::move(options)) {
    keep(std::move(target), std::move(a));
  }
  template <class F, class A, class B>
  requires std::invocable<F, A, B> Thread(F target, A a, B b, ThreadOptions options = {}) : Thread(std::move(options)) {
    keep(std::move(target), std::move(a), std::move(b));
  }
  template <class F, class A, class B, class C>
  requires std::invocable<F, A, B, C> Thread(F target, A a, B b, C c, ThreadOptions options = {})
      : Thread(std::move(options)) {
    keep(std::move(target), std::move(a), std::move(b), std::move(c));
  }
  template <class F, class A, class B, class C, class D>
  requires std::invocable<F, A, B, C, D> Thread(F target, A a, B b, C c, D d, ThreadOptions options = {})
      : Thread(std::move(options)) {
    keep(std::move(target), std::move(a), std::move(b), std::move(c), std::move(d));
  }
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;
  virtual ~Thread();

  // Once; throws std::logic_error the second time. SystemError when there can't be another thread: then it has not been
  // started, and may be.
  void start();
  // What the thread does: calls the target.
  virtual void run();
  // Before the start; std::logic_error afterwards.
  void set_daemon(bool daemon);

 protected:
  // Waits for the end, come what may: for the destructor of a class with run().
  void finish() noexcept;

 private:
  // The target with its arguments, which need not be copyable.
  struct Target {
    virtual ~Target() = default;
    virtual void call() = 0;
  };
  template <class F, class... Args>
  void keep(F target, Args... args) {
    struct Kept final : Target {
      explicit Kept(F f, Args... a) : body(std::move(f), std::move(a)...) {}
      void call() override {
        std::apply([](F& f, Args&... a) { static_cast<void>(std::invoke(std::move(f), std::move(a)...)); }, body);
      }
      std::tuple<F, Args...> body;
    };
    target_ = std::make_shared<Kept>(std::move(target), std::move(args)...);
  }

  std::shared_ptr<Target> target_;
  std::shared_ptr<std::atomic<bool>> in_run_;  // run() of this very object is under way, overridden perhaps
};

// The thread that the caller is on, also when nobody started it as a Thread; in a fiber, its loop's.
[[nodiscard]] AnyThread current_thread();
// The one that main() runs on.
[[nodiscard]] AnyThread main_thread();
// The main thread, and those that were started as Threads or by a ThreadPool and have not ended.
[[nodiscard]] std::vector<AnyThread> enumerate();
[[nodiscard]] std::size_t active_count();

// A thread threw something, and nobody joined it.
struct ThreadFailure {
  std::string name;
  std::exception_ptr error;
};
using ThreadFailureHook = std::function<void(const ThreadFailure&)>;
// From now on the hook is called, on whatever thread lets go of the last handle; an empty one logs again. What it
// throws is logged.
void set_thread_failure_hook(ThreadFailureHook hook);

}  // namespace hawser
