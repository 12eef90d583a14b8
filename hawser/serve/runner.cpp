#include <hawser/serve/runner.h>

#include <mutex>
#include <utility>

#include <hawser/base/errors.h>
#include <hawser/fiber/run.h>

namespace hawser::detail {

void Runner::cut_all() noexcept {
  // Cutting closes sockets, which may wait for a moment: not under the lock. Each is taken once.
  std::vector<std::shared_ptr<Job>> all;
  for (;;) {
    std::size_t count = 0;
    {
      const std::lock_guard hold(lock_);
      count = count_;
    }
    try {
      all.reserve(count);
    } catch (const std::bad_alloc&) {
      return;
    }
    const std::lock_guard hold(lock_);
    if (count_ > all.capacity()) continue;
    for (Job* job = first_; job; job = job->next_) all.push_back(job->itself_);
    break;
  }
  for (const auto& job : all) job->cut();
}

bool Runner::wait_empty(Timeout timeout) {
  const Expiry expiry = Expiry::of(timeout);
  for (;;) {
    Waiting waiting;
    if (!begin_waiting(waiting)) return true;
    const Wake why = waiting.waiter.park(expiry);
    if (end_waiting(waiting)) return true;
    if (why == Wake::expired) return false;
    throw_unless_ready(why, "wait for the requests");
  }
}

void Runner::see_out() noexcept {
  for (;;) {
    Waiting waiting;
    if (!begin_waiting(waiting)) return;
    waiting.waiter.park_uninterrupted();
    if (end_waiting(waiting)) return;
  }
}

bool Runner::begin_waiting(Waiting& waiting) noexcept {
  const std::lock_guard hold(lock_);
  if (count_ == 0) return false;
  waiting.next = std::exchange(waiting_, &waiting);
  return true;
}

bool Runner::end_waiting(Waiting& waiting) noexcept {
  const std::lock_guard hold(lock_);
  Waiting** at = &waiting_;
  while (*at != &waiting) at = &(*at)->next;
  *at = waiting.next;
  return count_ == 0;
}

void Runner::enter(Job& job) noexcept {
  auto itself = job.shared_from_this();
  const std::lock_guard hold(lock_);
  job.itself_ = std::move(itself);
  job.previous_ = nullptr;
  job.next_ = first_;
  if (first_) first_->previous_ = &job;
  first_ = &job;
  ++count_;
}

void Runner::leave(Job& job) noexcept {
  job.end();
  // Let go of outside the lock.
  std::shared_ptr<Job> itself;
  AnyTask task;
  const std::lock_guard hold(lock_);
  itself = std::move(job.itself_);
  task = std::move(job.task_);
  (job.previous_ ? job.previous_->next_ : first_) = job.next_;
  if (job.next_) job.next_->previous_ = job.previous_;
  if (--count_ != 0) return;
  for (Waiting* each = waiting_; each; each = each->next) each->waiter.unpark();
}

std::unique_ptr<Runner> make_runner(Form form, Timeout request_deadline, DealOut deal_out) {
  switch (form) {
    case Form::threading:
      return make_thread_runner();
    case Form::forking:
      return make_fork_runner(request_deadline);
    case Form::fiber:
      return make_fiber_runner(deal_out == DealOut::least_loaded);
    case Form::one_at_a_time:
      break;
  }
  // In a fiber the handler gets one of its own, so that it can be cancelled and its server not.
  return in_fiber() ? make_fiber_runner(false) : make_in_place_runner();
}

}  // namespace hawser::detail
