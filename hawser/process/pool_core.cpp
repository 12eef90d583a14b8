#include <hawser/process/pool_core.h>

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <exception>
#include <stdexcept>
#include <utility>

#include <hawser/base/bell.h>
#include <hawser/base/start_thread.h>
#include <hawser/base/system_calls.h>
#include <hawser/fiber/run.h>
#include <hawser/fiber/waiter.h>

namespace hawser {

ProcessDied::ProcessDied(pid_t pid, int exit_code)
    : std::runtime_error("process " + std::to_string(pid) + " " + detail::words_for_end(exit_code) +
                         " while it ran the task"),
      pid_(pid),
      exit_code_(exit_code) {}

namespace detail {
namespace {

// How long a worker may be silent while others are idle, before tasks that it has not begun are given to those.
constexpr Duration kStalled = std::chrono::milliseconds(1);
constexpr Duration kStartAgain = std::chrono::milliseconds(100);
constexpr std::size_t kMostFailedStarts = 10;
constexpr std::size_t kFew = 2;

bool is_idle(const WorkerLink& link) {
  return link.state() == WorkerLink::State::ready && link.in_flight() == 0 && !link.has_unsent();
}

}  // namespace

PoolCore::PoolCore(PoolSettings settings) : settings_(std::move(settings)), pid_(::getpid()) {
  if (settings_.max_queued > 0) room_.emplace(static_cast<std::int64_t>(settings_.max_queued));
  bell_ = make_bell();
  thread_ = start_quiet_thread("of process pool '" + settings_.name + "'", [this] { serve(); });
}

PoolCore::~PoolCore() {
  shutdown({.wait = false});
  wait_for_thread();
}

bool PoolCore::is_here() const noexcept { return pid_ == ::getpid(); }

// A fiber waits for a thread that waits: neither deadlines nor cancellation reach that.
void PoolCore::wait_for_thread() noexcept {
  if (in_fiber()) {
    Waiter ended("end of a process pool");
    try {
      std::thread aside = start_thread("that waits for a process pool", [this, &ended] {
        thread_.join();
        ended.unpark();
      });
      ended.park_uninterrupted();
      aside.join();
      return;
    } catch (const std::exception&) {
      // No thread to be had: then the loop stands still.
    }
  }
  thread_.join();
}

void PoolCore::submit(std::unique_ptr<PoolTask>& task) {
  if (!is_here()) throw std::logic_error("submit: a forked child has no workers of its parent's process pool");
  if (task->message.size() > settings_.limit) {
    throw std::length_error("submit: arguments of " + std::to_string(task->message.size()) +
                            " bytes, where the limit is " + std::to_string(settings_.limit));
  }
  // The thread must not wait for the room that it makes.
  const bool counted = room_ && std::this_thread::get_id() != thread_.get_id();
  if (counted) room_->acquire();
  bool sent = false;
  bool unsent = false;
  try {
    const std::lock_guard hold(mutex_);
    if (broken_) throw BrokenProcessPool(*broken_);
    if (closing_) throw ExecutorShutDown(settings_.name);
    WorkerLink* const idle = pending_.empty() ? find_idle() : nullptr;
    sent = idle != nullptr;
    if (!sent) {
      task->counted = counted;
      pending_.push_back(std::move(task));
    } else if (task->begin()) {
      idle->give(std::move(task));
      idle->flush();
      unsent = idle->has_unsent() || is_used_up(*idle);
    }
  } catch (...) {
    if (counted) room_->release();
    throw;
  }
  if (sent && counted) room_->release();
  if (unsent) ring();
}

void PoolCore::shutdown(const ShutdownOptions& options) {
  if (!is_here()) return;
  std::vector<std::unique_ptr<PoolTask>> cancelled;
  {
    const std::lock_guard hold(mutex_);
    closing_ = true;
    if (options.cancel_pending) {
      std::deque<std::unique_ptr<PoolTask>> kept;
      for (auto& task : std::exchange(pending_, {})) {
        if (room_ && std::exchange(task->counted, false)) room_->release();
        if (task->begun) {
          kept.push_back(std::move(task));
        } else {
          cancelled.push_back(std::move(task));
        }
      }
      pending_ = std::move(kept);
    }
  }
  ring();
  for (const auto& task : cancelled) task->cancel();
  if (!options.wait) return;
  if (std::this_thread::get_id() == thread_.get_id()) {
    throw std::logic_error("shutdown: a callback of a process pool cannot wait for the pool");
  }
  ended_.wait();
}

std::vector<pid_t> PoolCore::pids() const {
  const std::lock_guard hold(mutex_);
  std::vector<pid_t> all;
  for (const auto& link : links_) {
    if (link->state() == WorkerLink::State::ready) all.push_back(link->process().pid());
  }
  return all;
}

void PoolCore::ring() noexcept { ring_bell(bell_.get()); }

void PoolCore::serve() {
  while (serve_once()) {
  }
  ended_.set();
}

bool PoolCore::serve_once() {
  Outcomes outcomes;
  std::vector<pollfd> watched;
  start_missing(outcomes);
  Timeout timeout;
  bool busy = false;
  {
    const std::lock_guard hold(mutex_);
    deal_out();
    watch(watched);
    timeout = patience();
    busy = std::any_of(links_.begin(), links_.end(), [](const auto& link) { return link->in_flight() > 0; });
    if (closing_ && links_.empty() && pending_.empty() && outcomes.empty()) return false;
  }
  if (outcomes.empty()) wait(watched, timeout, busy);
  {
    const std::lock_guard hold(mutex_);
    for (std::size_t i = 0; i < links_.size() && 2 * i + 2 < watched.size(); ++i) {
      listen(watched, 2 * i + 1, *links_[i], outcomes);
    }
    std::erase_if(links_, [](const auto& link) { return link->state() == WorkerLink::State::gone; });
    deal_out();  // before the callbacks, which may take their time
    heard_ = outcomes.size();
  }
  complete(outcomes);
  return true;
}

void PoolCore::start_missing(Outcomes& outcomes) {
  for (;;) {
    {
      const std::lock_guard hold(mutex_);
      const auto alive = static_cast<std::size_t>(std::count_if(links_.begin(), links_.end(), [](const auto& link) {
        return link->state() == WorkerLink::State::starting || link->state() == WorkerLink::State::ready;
      }));
      if (broken_ || (closing_ && pending_.size() <= alive) || alive >= settings_.workers) return;
      if (!next_start_.is_never() && !next_start_.passed()) return;
    }
    next_start_ = Expiry::never();
    try {
      auto link = std::make_unique<WorkerLink>(settings_.name + "-" + std::to_string(started_), settings_.limit,
                                               settings_.initializer);
      ++started_;
      failed_starts_ = 0;
      const std::lock_guard hold(mutex_);
      links_.push_back(std::move(link));
    } catch (const std::exception& error) {
      const std::lock_guard hold(mutex_);
      if (++failed_starts_ >= kMostFailedStarts && links_.empty()) {
        return break_pool(std::string("no worker can be started: ") + error.what(), outcomes);
      }
      next_start_ = Expiry::in(kStartAgain);
      return;
    }
  }
}

std::unique_ptr<PoolTask> PoolCore::take_pending() {
  while (!pending_.empty()) {
    auto task = std::move(pending_.front());
    pending_.pop_front();
    if (room_ && std::exchange(task->counted, false)) room_->release();
    if (task->begin()) return task;
  }
  return nullptr;
}

WorkerLink* PoolCore::find_idle() const {
  for (const auto& link : links_) {
    if (is_idle(*link) && !is_used_up(*link)) return link.get();
  }
  return nullptr;
}

bool PoolCore::is_used_up(const WorkerLink& link) const {
  return settings_.max_tasks_per_worker > 0 && link.given() >= settings_.max_tasks_per_worker;
}

bool PoolCore::is_stalled(const WorkerLink& link) const {
  return link.in_flight() > 0 && Clock::now() - link.last_answer() > kStalled;
}

void PoolCore::deal_out() {
  take_back_stalled();
  std::size_t ready = 0;
  for (const auto& link : links_) {
    if (is_idle(*link)) give(*link, 1);
    if (link->state() == WorkerLink::State::ready) ++ready;
  }
  // More than one to each only while there is more than one for each.
  for (const auto& link : links_) {
    if (pending_.empty()) break;
    if (link->state() != WorkerLink::State::ready || is_stalled(*link)) continue;
    const std::size_t share = pending_.size() / ready + 1;
    const std::size_t window = std::min(link->window(), share);
    if (link->in_flight() <= window / 2) give(*link, window);
  }
  const bool all_done = closing_ && pending_.empty() &&
                        std::all_of(links_.begin(), links_.end(), [](const auto& l) { return l->in_flight() == 0; });
  for (const auto& link : links_) {
    if (link->state() == WorkerLink::State::gone) continue;
    if (all_done || is_used_up(*link) || link->state() == WorkerLink::State::retiring) link->retire();
    link->flush();
  }
}

void PoolCore::give(WorkerLink& link, std::size_t most) {
  while (link.in_flight() < most && !is_used_up(link)) {
    auto task = take_pending();
    if (!task) break;
    link.give(std::move(task));
  }
  link.flush();
}

void PoolCore::take_back_stalled() {
  if (!pending_.empty()) return;
  if (std::none_of(links_.begin(), links_.end(), [](const auto& link) { return is_idle(*link); })) return;
  for (const auto& link : links_) {
    if (link->in_flight() < 2 || link->state() != WorkerLink::State::ready || !is_stalled(*link)) continue;
    for (auto& task : link->take_back()) pending_.push_back(std::move(task));
  }
}

void PoolCore::watch(std::vector<pollfd>& into) const {
  into.push_back({.fd = bell_.get(), .events = POLLIN, .revents = 0});
  for (const auto& link : links_) {
    const short events = static_cast<short>(POLLIN | (link->has_unsent() ? POLLOUT : 0));
    into.push_back({.fd = link->is_deaf() ? -1 : link->socket(), .events = events, .revents = 0});
    into.push_back({.fd = link->process().pidfd(), .events = POLLIN, .revents = 0});
  }
}

Timeout PoolCore::patience() const {
  bool idle = false;
  bool ahead = false;
  for (const auto& link : links_) {
    idle = idle || is_idle(*link);
    ahead = ahead || link->in_flight() > 1;
  }
  Timeout timeout = next_start_.left();
  if (idle && ahead) timeout = timeout ? std::min(*timeout, kStalled) : kStalled;
  return timeout;
}

// Polls for a moment before it sleeps, where that lately paid.
bool PoolCore::wait(std::vector<pollfd>& watched, Timeout timeout, bool busy) {
  const bool few = heard_ <= kFew;
  if (busy && few && spin_.worth_it()) {
    const auto end = Clock::now() + PoolSpin::kBudget;
    do {
      if (sys::poll(watched.data(), watched.size(), 0) > 0) {
        spin_.polled(true);
        return true;
      }
      ::sched_yield();
    } while (Clock::now() < end);
    spin_.polled(false);
  }
  timespec wait{};
  if (timeout) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(*timeout);
    wait = {.tv_sec = static_cast<time_t>(seconds.count()), .tv_nsec = static_cast<long>((*timeout - seconds).count())};
  }
  const auto began = Clock::now();
  const int ready = sys::ppoll(watched.data(), watched.size(), timeout ? &wait : nullptr, nullptr);
  if (ready > 0 && busy) spin_.slept(Clock::now() - began);
  if (!few) spin_.busy();
  if (watched[0].revents) silence_bell(bell_.get());
  return ready > 0;
}

void PoolCore::listen(const std::vector<pollfd>& ready, std::size_t first, WorkerLink& link, Outcomes& outcomes) {
  const bool speaks = ready[first].revents != 0;
  const bool ended = ready[first + 1].revents != 0;
  if (speaks && !ended) {
    const std::size_t before = outcomes.size();
    if (link.listen(outcomes) == WorkerLink::Heard::end) link.turn_deaf();
    if (outcomes.size() > before) deaths_ = 0;
  }
  if (!ended) return;
  const auto exit_code = link.process().poll();
  if (!exit_code) return;
  const std::size_t before = outcomes.size();
  while (link.listen(outcomes) == WorkerLink::Heard::something) {
  }
  if (outcomes.size() > before) deaths_ = 0;
  bury(link, *exit_code, outcomes);
}

void PoolCore::bury(WorkerLink& link, int exit_code, Outcomes& outcomes) {
  const bool wanted = link.state() == WorkerLink::State::retiring && exit_code == 0;
  std::vector<std::unique_ptr<PoolTask>> not_begun;
  if (auto ran = link.bury(not_begun)) {
    outcomes.push_back(
        {.task = std::move(ran), .error = std::make_exception_ptr(ProcessDied(link.process().pid(), exit_code))});
  } else if (wanted) {
    return;
  }
  pending_.insert(pending_.begin(), std::make_move_iterator(not_begun.begin()),
                  std::make_move_iterator(not_begun.end()));
  if (broken_) return;
  if (link.broken()) {
    return break_pool("the initializer threw " + link.broken()->type_name + ": " + link.broken()->message, outcomes);
  }
  if (++deaths_ >= settings_.deaths_in_a_row) {
    break_pool(
        std::to_string(deaths_) + " workers have died one after another; the last one " + words_for_end(exit_code),
        outcomes);
  }
}

void PoolCore::break_pool(const std::string& why, Outcomes& outcomes) {
  broken_ = "process pool '" + settings_.name + "' is broken: " + why;
  const auto error = std::make_exception_ptr(BrokenProcessPool(*broken_));
  while (auto task = take_pending()) outcomes.push_back({.task = std::move(task), .error = error});
  for (const auto& link : links_) {
    std::vector<std::unique_ptr<PoolTask>> tasks;
    if (auto ran = link->bury(tasks)) tasks.push_back(std::move(ran));
    for (auto& task : tasks) outcomes.push_back({.task = std::move(task), .error = error});
    link->process().stop(Duration::zero());
  }
}

void PoolCore::complete(Outcomes& outcomes) {
  for (Outcome& outcome : outcomes) {
    if (outcome.error) {
      outcome.task->fail(std::move(outcome.error));
    } else {
      outcome.task->succeed(outcome.result);
    }
  }
}

}  // namespace detail
}  // namespace hawser
