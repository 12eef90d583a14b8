#include <hawser/process/starter_thread.h>

#include <condition_variable>
#include <exception>
#include <mutex>
#include <new>
#include <vector>

#include <hawser/base/fork.h>
#include <hawser/base/made_once.h>
#include <hawser/base/start_thread.h>
#include <hawser/fiber/waiter.h>

namespace hawser::detail {
namespace {

struct Call {
  const std::function<void()>& function;
  Waiter done{"start of a process"};
  std::exception_ptr error{};
};

class StarterThread {
 public:
  StarterThread() { hold_over_fork(mutex_, ForkOrder::outer, &StarterThread::in_child, this); }

  void call(Call& call) {
    {
      const std::lock_guard hold(mutex_);
      if (!running_) begin();
      calls_.push_back(&call);
    }
    arrived_.notify_one();
    call.done.park_uninterrupted();
  }

 private:
  // The child is on this very thread, or has none.
  static void in_child(void* self) noexcept {
    auto& thread = *static_cast<StarterThread*>(self);
    ::new (&thread.arrived_) std::condition_variable();
    ::new (&thread.calls_) std::vector<Call*>();
    thread.running_ = false;
  }

  void begin() {
    start_quiet_thread("that starts processes", [this] { serve(); }).detach();
    running_ = true;
  }

  void serve() {
    for (;;) {
      Call* call = nullptr;
      {
        std::unique_lock hold(mutex_);
        arrived_.wait(hold, [this] { return !calls_.empty(); });
        call = calls_.front();
        calls_.erase(calls_.begin());
      }
      try {
        call->function();
      } catch (...) {
        call->error = std::current_exception();
      }
      call->done.unpark();
    }
  }

  std::mutex mutex_;  // guards what follows
  std::condition_variable arrived_;
  std::vector<Call*> calls_;
  bool running_ = false;
};

constinit MadeOnce<StarterThread> g_starter;  // runs until the process ends
[[maybe_unused]] const bool g_made_early = (g_starter.get(), true);

}  // namespace

void on_starter_thread(const std::function<void()>& function) {
  Call call{.function = function};
  g_starter.get().call(call);
  if (call.error) std::rethrow_exception(call.error);
}

}  // namespace hawser::detail
