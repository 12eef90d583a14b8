// WorkerPool: the queue under ThreadPool and FiberPool, and the life of their workers. Internal.
//
// Work comes in at one lane, a list under a spin lock. A worker that runs out takes all of it at once to a lane of its
// own, so that whoever submits and whoever works seldom meet; workers with nothing to do steal from the others' lanes,
// from the front. One worker at a time searches before it sleeps; whoever makes work visible wakes another one only
// when nobody searches, and a searcher that finds something and leaves more behind wakes the next. So a burst costs its
// submitter one wake-up, and no work lies about while a worker sleeps.
//
// Workers are started when there is work and nobody idle. A worker that waits for a future counts as none: when all of
// them wait, one more is started, which goes again when it is not needed any more. When none is to be had, those there
// are do the work, also one that is about to wait; without a single one, work that relied on it fails with the error.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <hawser/fiber/idle_spin.h>
#include <hawser/fiber/spin_lock.h>
#include <hawser/fiber/waiter.h>
#include <hawser/sync/semaphore.h>
#include <hawser/task/end_mark.h>
#include <hawser/task/executor.h>
#include <hawser/task/waiting_worker.h>
#include <hawser/task/work_lane.h>

namespace hawser::detail {

class WorkerPool : public WorkerHost, public std::enable_shared_from_this<WorkerPool> {
 public:
  struct Settings {
    std::string name;
    std::size_t workers = 1;
    std::size_t max_queued = 0;  // 0: no bound
    std::function<void()> initializer;
  };

  explicit WorkerPool(Settings settings);
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;
  virtual ~WorkerPool();

  // Waits while a bounded pool is full, unless the caller is a worker of this pool. Throws ExecutorShutDown,
  // BrokenThreadPool, SystemError when not a single worker could be started, and what waiting throws.
  void submit(PoolWork& work);
  // Throws what waiting throws; std::logic_error when a worker waits for its own pool's end.
  void shutdown(ShutdownOptions options);
  // For destructors. Waits, come what may; not in a worker of the pool itself.
  void finish() noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return settings_.workers; }
  [[nodiscard]] const std::string& name() const noexcept { return settings_.name; }
  [[nodiscard]] bool is_caller_worker() const noexcept { return of_caller() == this; }

  void worker_waits() noexcept override;
  void worker_goes_on() noexcept override;

 protected:
  // Makes work(number) be called on a new thread or fiber. Throws when it can't.
  virtual void start_worker(std::uint64_t number) = 0;
  // The worker is about to leave work(), on its own thread or fiber.
  virtual void worker_leaves(std::uint64_t number) noexcept = 0;
  // After the last worker has left.
  virtual void join_workers() noexcept = 0;
  void work(std::uint64_t number) noexcept;
  // work() will never be called for a worker that was started: its loop comes to an end.
  void worker_never_came() noexcept;

 private:
  struct Bench {  // a place to work at; never goes while the pool is there
    WorkLane lane;
    std::atomic<bool> taken{false};
    Bench* next = nullptr;
  };
  struct Sleeper {
    Waiter waiter{"work"};
    Sleeper* next = nullptr;
  };
  // Why a sleep ended: not at all any more; nothing will ever come; the fiber was killed.
  enum class Slept : std::uint8_t { no_more, closed, killed };

  Bench& sit_down();
  bool initialize() noexcept;
  // False when it was stopped before its time.
  bool serve(Bench& bench) noexcept;
  bool search(Bench& bench) noexcept;
  void stop_searching() noexcept;
  Slept sleep() noexcept;
  bool remove(Sleeper& sleeper) noexcept;
  bool poll_a_while() noexcept;

  [[nodiscard]] bool has_work() const noexcept;
  // Work was made visible.
  void notify() noexcept {
    if (searching_.load(std::memory_order_seq_cst) == 0 &&
        (sleeping_.load(std::memory_order_seq_cst) != 0 || may_start_.load(std::memory_order_seq_cst))) {
      wake_one();
    }
  }
  void wake_one() noexcept;
  bool wake_sleeper() noexcept;
  void wake_all_sleepers() noexcept;
  // Precondition: the new worker is counted in searching_. False, and then not any more, when none may be started.
  bool start_one(std::exception_ptr* error) noexcept;
  void count_workers(int workers, int waiting) noexcept;
  [[nodiscard]] bool is_stuck() noexcept;
  PoolWork* take_any() noexcept;
  [[nodiscard]] bool surplus() const noexcept { return surplus_.load(std::memory_order_relaxed); }
  bool leave_if_surplus() noexcept;

  void take_room(PoolWork& work);
  void give_room(PoolWork& work) noexcept;
  [[noreturn]] void refuse();
  void close() noexcept;
  template <class End>
  void end_pending(End&& end) noexcept;
  void end_when_gone() noexcept;
  void wait_gone(bool interruptible);

  const Settings settings_;
  const std::uint32_t generation_;
  std::optional<Semaphore> room_;
  WorkLane incoming_;
  std::atomic<Bench*> benches_{nullptr};
  alignas(64) std::atomic<int> searching_{0};
  std::atomic<int> sleeping_{0};
  std::atomic<bool> may_start_{true};
  std::atomic<bool> surplus_{false};
  std::atomic<bool> refused_{false};  // the latest worker could not be started
  std::atomic<bool> closed_{false};
  std::atomic<bool> polling_{false};

  SpinLock idle_lock_;
  Sleeper* sleepers_ = nullptr;  // the latest first: its memory is warm
  IdleSpin idle_spin_;

  std::mutex mutex_;
  std::atomic<int> workers_{0};  // written with the mutex held
  int waiting_ = 0;              // of them, those that wait for futures
  std::uint64_t started_ = 0;
  std::exception_ptr broken_;
  EndMark gone_;  // closed, and nothing and nobody is left
};

}  // namespace hawser::detail
