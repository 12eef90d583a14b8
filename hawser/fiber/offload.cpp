#include <hawser/fiber/offload.h>

#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <new>
#include <stdexcept>

#include <hawser/base/errors.h>
#include <hawser/base/fork.h>
#include <hawser/base/made_once.h>
#include <hawser/base/start_thread.h>
#include <hawser/fiber/context.h>
#include <hawser/fiber/idle_spin.h>
#include <hawser/fiber/spin.h>
#include <hawser/fiber/waiter.h>

namespace hawser {
namespace {

using detail::IdleSpin;
using detail::pause_processor;

// One call, on the stack of the fiber that waits for it.
struct Call {
  explicit Call(std::function<void()>& f) : function(f) {}
  std::function<void()>& function;
  std::exception_ptr error;
  Waiter waiter{"offload"};
  enum class State { waiting, running } state = State::waiting;  // under the pool's mutex
  Call* next = nullptr;
};

class Pool {
 public:
  Pool() { detail::hold_over_fork(mutex_, detail::ForkOrder::outer, &Pool::in_child, this); }

  OffloadLimits limits() {
    std::lock_guard hold(mutex_);
    return limits_;
  }
  void set_limits(OffloadLimits limits) {
    if (limits.threads == 0) throw std::invalid_argument("set_offload_limits: at least one thread");
    std::lock_guard hold(mutex_);
    if (threads_) throw std::logic_error("set_offload_limits: after the first offload()");
    limits_ = limits;
  }

  void submit(Call& call) {
    std::lock_guard hold(mutex_);
    if (queued_ >= idle_ && threads_ < limits_.threads) start_thread();
    (tail_ ? tail_->next : head_) = &call;
    tail_ = &call;
    count(+1);
    if (queued_ > (polling_ ? 1U : 0U)) arrived_.notify_one();
  }

  // Takes a call back that no thread has begun. False when it runs or has run.
  bool withdraw(Call& call) {
    std::lock_guard hold(mutex_);
    if (call.state != Call::State::waiting) return false;
    Call* before = nullptr;
    for (Call* at = head_; at != &call; at = at->next) before = at;
    (before ? before->next : head_) = call.next;
    if (tail_ == &call) tail_ = before;
    count(-1);
    return true;
  }

 private:
  // A forked child has none of the threads, and nobody there waits for what the parent's fibers asked.
  static void in_child(void* self) noexcept {
    auto& pool = *static_cast<Pool*>(self);
    ::new (&pool.arrived_) std::condition_variable();  // it counts waiters that are not there
    pool.threads_ = pool.idle_ = pool.queued_ = 0;
    pool.in_line_.store(false, std::memory_order_relaxed);
    pool.polling_ = false;
    pool.head_ = pool.tail_ = nullptr;
  }

  void start_thread() {
    try {
      detail::start_thread("of offload", [this] { work(); }).detach();
      ++threads_;
    } catch (...) {
      if (threads_ == 0) throw;  // otherwise those that exist will come round to it
    }
  }

  [[noreturn]] void work() {
    std::unique_lock hold(mutex_);
    for (;;) {
      ++idle_;
      if (!head_ && !polling_ && idle_spin_.worth_it()) poll_a_while(hold);
      if (!head_) sleep(hold);
      --idle_;
      Call& call = *head_;
      head_ = call.next;
      if (!head_) tail_ = nullptr;
      count(-1);
      call.state = Call::State::running;
      hold.unlock();
      try {
        call.function();
      } catch (...) {
        call.error = std::current_exception();
      }
      call.waiter.unpark();
      hold.lock();
    }
  }

  // One idle thread watches for the next call for a little while, where that pays; the others sleep.
  void poll_a_while(std::unique_lock<std::mutex>& hold) {
    polling_ = true;
    hold.unlock();
    const auto give_up = Clock::now() + IdleSpin::kBudget;
    bool late = false;
    while (!in_line_.load(std::memory_order_relaxed) && !late) {
      for (int i = 0; i < 16; ++i) pause_processor();
      late = Clock::now() >= give_up;
    }
    hold.lock();
    polling_ = false;
    idle_spin_.polled(!late, true);
  }

  void sleep(std::unique_lock<std::mutex>& hold) {
    const auto begin = Clock::now();
    arrived_.wait(hold, [this] { return head_ != nullptr; });
    idle_spin_.slept(Clock::now() - begin, true);
  }

  void count(int more) {
    queued_ += static_cast<std::size_t>(more);
    in_line_.store(queued_ != 0, std::memory_order_relaxed);
  }

  std::mutex mutex_;
  std::condition_variable arrived_;
  OffloadLimits limits_;
  std::size_t threads_ = 0;
  std::size_t idle_ = 0;
  std::size_t queued_ = 0;
  std::atomic<bool> in_line_{false};  // queued_ is not 0, for the thread that polls
  bool polling_ = false;
  detail::IdleSpin idle_spin_;
  Call* head_ = nullptr;
  Call* tail_ = nullptr;
};

constinit detail::MadeOnce<Pool> g_pool;  // its threads run until the process ends
[[maybe_unused]] const bool g_made_early = (g_pool.get(), true);

}  // namespace

OffloadLimits offload_limits() noexcept { return g_pool.get().limits(); }

void set_offload_limits(OffloadLimits limits) { g_pool.get().set_limits(limits); }

void detail::offload_call(std::function<void()> function) {
  if (!Context::current_fiber()) return function();
  Call call(function);
  g_pool.get().submit(call);
  const Wake why = call.waiter.park();
  if (why != Wake::ready) {
    if (g_pool.get().withdraw(call)) throw_unless_ready(why, "offload");
    call.waiter.park_uninterrupted();
  }
  if (call.error) std::rethrow_exception(call.error);
  throw_unless_ready(why, "offload");
}

}  // namespace hawser
