#include <hawser/task/worker_pool.h>

#include <stdexcept>
#include <utility>

#include <hawser/base/fork.h>
#include <hawser/base/log.h>
#include <hawser/base/store_before_loads.h>
#include <hawser/fiber/cancellation.h>
#include <hawser/fiber/run.h>
#include <hawser/fiber/spin.h>

namespace hawser::detail {

WorkerPool::WorkerPool(Settings settings) : settings_(std::move(settings)), generation_(fork_generation()) {
  if (settings_.workers == 0) throw std::invalid_argument(settings_.name + ": at least one worker");
  if (settings_.max_queued) room_.emplace(static_cast<std::int64_t>(settings_.max_queued));
}

WorkerPool::~WorkerPool() {
  for (Bench* bench = benches_.load(std::memory_order_acquire); bench;)
    delete std::exchange(bench, bench->next);  // NOLINT(cppcoreguidelines-owning-memory): a list that only grows
}

// ---- submitting

void WorkerPool::refuse() {
  std::exception_ptr broken;
  {
    std::lock_guard hold(mutex_);
    broken = broken_;
  }
  if (broken) std::rethrow_exception(broken);
  throw ExecutorShutDown(settings_.name);
}

void WorkerPool::take_room(PoolWork& work) {
  if (is_caller_worker()) {
    work.has_room = room_->try_acquire();  // it must not wait for itself
    return;
  }
  room_->acquire();
  work.has_room = true;
}

void WorkerPool::give_room(PoolWork& work) noexcept {
  if (work.has_room) room_->release();
}

void WorkerPool::submit(PoolWork& work) {
  if (generation_ != fork_generation())
    throw std::logic_error("submit: '" + settings_.name + "' has its workers in the parent process");
  if (room_) take_room(work);
  if (workers_.load(std::memory_order_relaxed) == 0 && !closed_.load(std::memory_order_relaxed)) {
    // The first one must be there before there is work for it.
    searching_.fetch_add(1, std::memory_order_seq_cst);
    std::exception_ptr error;
    if (!start_one(&error) && error) {
      give_room(work);
      std::rethrow_exception(error);
    }
  }
  if (!incoming_.push(work)) {
    give_room(work);
    refuse();
  }
  notify();
}

void WorkerPool::wake_one() noexcept {
  for (;;) {
    int none = 0;
    if (!searching_.compare_exchange_strong(none, 1, std::memory_order_seq_cst)) return;
    if (wake_sleeper()) return;
    if (searching_.load(std::memory_order_seq_cst) > 1 || !has_work()) {
      // Who was awake, or about to sleep, has seen the work: it needs nobody else.
      if (searching_.fetch_sub(1, std::memory_order_seq_cst) > 1 || !has_work()) return;
      continue;
    }
    if (start_one(nullptr)) return;
    // Somebody may have gone to sleep since, and have relied on us.
    if (!has_work() || sleeping_.load(std::memory_order_seq_cst) == 0) return;
  }
}

bool WorkerPool::wake_sleeper() noexcept {
  if (sleeping_.load(std::memory_order_seq_cst) == 0) return false;
  std::lock_guard hold(idle_lock_);
  Sleeper* sleeper = sleepers_;
  if (!sleeper) return false;
  sleepers_ = sleeper->next;
  sleeping_.fetch_sub(1, std::memory_order_seq_cst);
  sleeper->waiter.unpark();
  return true;
}

void WorkerPool::wake_all_sleepers() noexcept {
  std::lock_guard hold(idle_lock_);
  while (Sleeper* sleeper = sleepers_) {
    sleepers_ = sleeper->next;
    sleeping_.fetch_sub(1, std::memory_order_seq_cst);
    searching_.fetch_add(1, std::memory_order_seq_cst);
    sleeper->waiter.unpark();
  }
}

// ---- workers come and go

void WorkerPool::count_workers(int workers, int waiting) noexcept {
  workers_.store(workers_.load(std::memory_order_relaxed) + workers, std::memory_order_relaxed);
  waiting_ += waiting;
  const int most = static_cast<int>(settings_.workers);
  const int now = workers_.load(std::memory_order_relaxed);
  store_before_loads(may_start_, now < most || now == waiting_);
  surplus_.store(now - waiting_ > most, std::memory_order_relaxed);
}

bool WorkerPool::start_one(std::exception_ptr* error) noexcept {
  std::uint64_t number = 0;
  std::exception_ptr failure;
  {
    std::lock_guard hold(mutex_);
    if (!may_start_.load(std::memory_order_relaxed)) {
      searching_.fetch_sub(1, std::memory_order_seq_cst);
      return false;
    }
    count_workers(+1, 0);
    number = started_++;
  }
  try {
    start_worker(number);
    refused_.store(false, std::memory_order_relaxed);
    return true;
  } catch (...) {
    failure = std::current_exception();
    if (error) {
      *error = failure;
    } else {
      log_line(LogLevel::warning, settings_.name + ": no other worker: " + describe(failure));
    }
  }
  refused_.store(true, std::memory_order_relaxed);
  bool none_left = false;
  {
    std::lock_guard hold(mutex_);
    count_workers(-1, 0);
    const int left = workers_.load(std::memory_order_relaxed);
    none_left = left == 0;
    // Those that are there will come round to it; until one has gone or a wait begins no other is tried.
    if (left != waiting_) store_before_loads(may_start_, false);
  }
  searching_.fetch_sub(1, std::memory_order_seq_cst);
  // Somebody may have relied on the worker that we were about to start, or waited for its end.
  if (none_left) end_pending([&](PoolWork& work) { work.fail_work(failure); });
  return false;
}

void WorkerPool::worker_waits() noexcept {
  for (;;) {
    {
      std::lock_guard hold(mutex_);
      count_workers(0, +1);
    }
    if (!has_work()) return;
    notify();
    PoolWork* const work = is_stuck() ? take_any() : nullptr;
    if (!work) return;
    worker_goes_on();
    give_room(*work);
    work->do_work();
  }
}

// Another worker was refused, and all those there wait.
bool WorkerPool::is_stuck() noexcept {
  std::lock_guard hold(mutex_);
  return refused_.load(std::memory_order_relaxed) && workers_.load(std::memory_order_relaxed) == waiting_;
}

PoolWork* WorkerPool::take_any() noexcept {
  if (PoolWork* work = incoming_.pop()) return work;
  for (Bench* bench = benches_.load(std::memory_order_acquire); bench; bench = bench->next) {
    if (PoolWork* work = bench->lane.pop()) return work;
  }
  return nullptr;
}

void WorkerPool::worker_goes_on() noexcept {
  std::lock_guard hold(mutex_);
  count_workers(0, -1);
}

bool WorkerPool::leave_if_surplus() noexcept {
  std::lock_guard hold(mutex_);
  if (!surplus()) return false;
  count_workers(-1, 0);
  return true;
}

void WorkerPool::end_when_gone() noexcept {
  {
    std::lock_guard hold(mutex_);
    if (workers_.load(std::memory_order_relaxed) != 0 || !closed_.load(std::memory_order_relaxed) || has_work()) return;
  }
  gone_.set();
}

// ---- a worker's life

WorkerPool::Bench& WorkerPool::sit_down() {
  for (Bench* bench = benches_.load(std::memory_order_acquire); bench; bench = bench->next)
    if (!bench->taken.exchange(true, std::memory_order_acq_rel)) return *bench;
  auto fresh = std::make_unique<Bench>();
  fresh->taken.store(true, std::memory_order_relaxed);
  fresh->next = benches_.load(std::memory_order_relaxed);
  while (!benches_.compare_exchange_weak(fresh->next, fresh.get(), std::memory_order_acq_rel)) {
  }
  return *fresh.release();
}

bool WorkerPool::initialize() noexcept {
  if (!settings_.initializer) return true;
  try {
    settings_.initializer();
    return true;
  } catch (...) {
    const std::string why = settings_.name + ": the initializer threw: " + describe(std::current_exception());
    log_line(LogLevel::error, why);
    std::exception_ptr broken;
    {
      std::lock_guard hold(mutex_);
      if (!broken_) broken_ = std::make_exception_ptr(BrokenThreadPool(why));
      broken = broken_;
    }
    close();
    end_pending([&](PoolWork& work) { work.fail_work(broken); });
    return false;
  }
}

void WorkerPool::work(std::uint64_t number) noexcept {
  Bench& bench = sit_down();
  bool stopped = false;
  {
    const WorkerMark mark(*this);
    if (initialize()) {
      stopped = !serve(bench);
    } else {
      searching_.fetch_sub(1, std::memory_order_seq_cst);
      std::lock_guard hold(mutex_);
      count_workers(-1, 0);
    }
  }
  bench.lane.give_back(incoming_);
  bench.taken.store(false, std::memory_order_release);
  if (stopped) {
    close();
    end_pending([](PoolWork& work) { work.cancel_work(); });
  }
  if (has_work()) notify();
  worker_leaves(number);
  end_when_gone();
}

void WorkerPool::worker_never_came() noexcept {
  searching_.fetch_sub(1, std::memory_order_seq_cst);
  {
    std::lock_guard hold(mutex_);
    count_workers(-1, 0);
  }
  close();
  end_pending([](PoolWork& work) { work.cancel_work(); });
}

// Comes counted in searching_; goes counted out of it and of workers_.
bool WorkerPool::serve(Bench& bench) noexcept {
  const bool fiber = in_fiber();
  for (bool searching = true;;) {
    PoolWork* work = bench.lane.pop();
    if (!work && bench.lane.take_all(incoming_)) {
      if (!searching) notify();
      work = bench.lane.pop();
    }
    if (!work && searching && search(bench)) work = bench.lane.pop();
    if (work) {
      if (std::exchange(searching, false)) stop_searching();
      give_room(*work);
      work->do_work();
      if (surplus() && leave_if_surplus()) return true;
      if (!fiber) continue;
      if (!cancel_requested()) {
        yield();
        continue;
      }
      std::lock_guard hold(mutex_);
      count_workers(-1, 0);
      return false;
    }
    if (!searching) {
      searching_.fetch_add(1, std::memory_order_seq_cst);
      searching = true;
      continue;
    }
    if (poll_a_while()) continue;
    const Slept why = sleep();
    if (why != Slept::no_more) return why == Slept::closed;
  }
}

bool WorkerPool::search(Bench& bench) noexcept {
  for (Bench* other = benches_.load(std::memory_order_acquire); other; other = other->next)
    if (other != &bench && bench.lane.steal(other->lane)) return true;
  return false;
}

void WorkerPool::stop_searching() noexcept {
  if (searching_.fetch_sub(1, std::memory_order_seq_cst) == 1 && has_work()) notify();
}

bool WorkerPool::has_work() const noexcept {
  if (!incoming_.empty()) return true;
  for (const Bench* bench = benches_.load(std::memory_order_acquire); bench; bench = bench->next)
    if (!bench->lane.empty()) return true;
  return false;
}

bool WorkerPool::remove(Sleeper& sleeper) noexcept {
  std::lock_guard hold(idle_lock_);
  for (Sleeper** at = &sleepers_; *at; at = &(*at)->next) {
    if (*at != &sleeper) continue;
    *at = sleeper.next;
    sleeping_.fetch_sub(1, std::memory_order_seq_cst);
    return true;
  }
  return false;
}

bool WorkerPool::poll_a_while() noexcept {
  const auto there = [this] { return has_work() || closed_.load(std::memory_order_relaxed); };
  if (spin_until(there)) return has_work();
  if (in_fiber() || polling_.exchange(true, std::memory_order_acq_rel)) return false;
  bool in_time = false;
  bool worth_it = false;
  {
    std::lock_guard hold(idle_lock_);
    worth_it = idle_spin_.worth_it();
  }
  if (worth_it) {
    const auto give_up = Clock::now() + IdleSpin::kBudget;
    while (!(in_time = there()) && Clock::now() < give_up)
      for (int i = 0; i < 16; ++i) pause_processor();
    std::lock_guard hold(idle_lock_);
    idle_spin_.polled(in_time, true);
  }
  polling_.store(false, std::memory_order_release);
  return in_time && has_work();
}

// Comes counted in searching_, and goes so unless it was stopped: then it is counted out of workers_, too.
WorkerPool::Slept WorkerPool::sleep() noexcept {
  const bool closed = closed_.load(std::memory_order_seq_cst);
  Sleeper sleeper;
  if (!closed) {
    std::lock_guard hold(idle_lock_);
    sleeper.next = sleepers_;
    sleepers_ = &sleeper;
    sleeping_.fetch_add(1, std::memory_order_seq_cst);
  }
  searching_.fetch_sub(1, std::memory_order_seq_cst);
  // The last look: what comes now finds us asleep.
  const bool found = has_work();
  if (closed) {
    if (!found) {
      std::lock_guard hold(mutex_);
      count_workers(-1, 0);
      return Slept::closed;
    }
    searching_.fetch_add(1, std::memory_order_seq_cst);
    return Slept::no_more;
  }
  if (found || closed_.load(std::memory_order_seq_cst)) {
    // Counted before it is off the list: at no moment does it look as if nobody were idle.
    searching_.fetch_add(1, std::memory_order_seq_cst);
    if (remove(sleeper)) return Slept::no_more;
    searching_.fetch_sub(1, std::memory_order_seq_cst);  // whoever woke us has counted us, too
  }
  const auto began = Clock::now();
  if (sleeper.waiter.park() == Wake::ready || !remove(sleeper)) {
    std::lock_guard hold(idle_lock_);
    idle_spin_.slept(Clock::now() - began, true);
    return Slept::no_more;
  }
  // Only a fiber is stopped so: it was killed, or its loop comes to an end.
  {
    std::lock_guard hold(mutex_);
    count_workers(-1, 0);
  }
  return Slept::killed;
}

// ---- the end

void WorkerPool::close() noexcept {
  incoming_.close();
  store_before_loads(closed_, true);
  if (room_) {
    room_->release(std::int64_t{1} << 32);  // those who wait for room go and find it closed
  }
  wake_all_sleepers();
  if (has_work()) notify();
  end_when_gone();
}

template <class End>
void WorkerPool::end_pending(End&& end) noexcept {
  const auto drain = [&](WorkLane& lane) {
    WorkLane taken;
    taken.take_all(lane);
    while (PoolWork* work = taken.pop()) {
      give_room(*work);
      end(*work);
    }
  };
  drain(incoming_);
  for (Bench* bench = benches_.load(std::memory_order_acquire); bench; bench = bench->next) drain(bench->lane);
  end_when_gone();
}

void WorkerPool::wait_gone(bool interruptible) {
  if (interruptible) {
    gone_.wait(Expiry::never(), "pool shutdown");
  } else {
    gone_.wait_uninterrupted("pool shutdown");
  }
  join_workers();
}

void WorkerPool::shutdown(ShutdownOptions options) {
  if (options.wait && is_caller_worker())
    throw std::logic_error("shutdown: a worker can't wait for the end of its own pool '" + settings_.name + "'");
  if (generation_ != fork_generation()) return;
  if (!closed_.load(std::memory_order_acquire)) close();
  if (options.cancel_pending) end_pending([](PoolWork& work) { work.cancel_work(); });
  if (options.wait) wait_gone(true);
}

void WorkerPool::finish() noexcept {
  if (generation_ != fork_generation()) return;
  if (!closed_.load(std::memory_order_acquire)) close();
  if (!is_caller_worker()) wait_gone(false);
}

}  // namespace hawser::detail
