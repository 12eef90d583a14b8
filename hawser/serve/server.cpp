#include <hawser/serve/server.h>

#include <exception>
#include <stdexcept>
#include <utility>
#include <vector>

#include <hawser/base/errors.h>
#include <hawser/base/fork.h>
#include <hawser/fiber/cancellation.h>
#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>
#include <hawser/serve/stop_watch.h>

namespace hawser {

Server::Server(const Limits& limits)
    : limits_(limits), permits_(static_cast<std::int64_t>(limits.max_running + limits.max_waiting)) {
  if (limits.max_running == 0) throw std::invalid_argument("max_connections must be at least 1");
  static_cast<void>(Expiry::in(limits.drain));
  for (const Timeout timeout : {limits.timeout, limits.service_interval, limits.request_deadline}) {
    static_cast<void>(Expiry::of(timeout));
  }
}

Server::~Server() {
  cut();
  // Its threads are in the parent; it could not end here.
  if (runs_elsewhere()) static_cast<void>(runner_.release());  // NOLINT(bugprone-unused-return-value)
}

bool Server::runs_elsewhere() const noexcept { return runner_ && runs_in_ != detail::fork_generation(); }

bool Server::wait_stopped(Timeout timeout) {
  const bool never_began = !begun_.load(std::memory_order_acquire) && stop_.requested();
  return never_began || stopped_.wait(timeout);
}

void Server::begin() {
  if (limits_.form == Form::fiber && !in_fiber()) throw std::logic_error("a Fiber server serves inside run()");
  if (runner_) return;
  runner_ = detail::make_runner(limits_.form, limits_.request_deadline, limits_.deal_out);
  runs_in_ = detail::fork_generation();
}

void Server::serve_forever() {
  begin();
  if (begun_.exchange(true)) throw std::logic_error("serve_forever: a server serves once");
  struct Stopped {  // after the watch is gone
    Event& event;
    ~Stopped() { event.set(); }
  } const stopped{stopped_};
  const detail::StopWatch watch(stop_, [this] { on_stop(); });
  std::exception_ptr failure;
  try {
    serve_on_all_entrances();
    close_entrances();
    runner_->wait_empty(limits_.drain);
  } catch (...) {
    failure = std::current_exception();
  }
  // Nobody's deadline or cancellation may leave requests behind that use this server.
  close_entrances();
  drop_waiting();
  cut_all();
  if (limits_.block_on_close) runner_->see_out();
  if (failure) std::rethrow_exception(failure);
}

bool Server::handle_request() {
  begin();
  if (begun_.load(std::memory_order_acquire)) throw std::logic_error("handle_request: the server has served");
  const detail::StopWatch watch(stop_, [this] { on_stop(); });
  const Expiry expiry = Expiry::of(limits_.timeout);
  try {
    if (take_permit(expiry.left())) {
      entrance().patience = expiry.left();
      take_one();
      if (limits_.form == Form::one_at_a_time) runner_->wait_empty();
      return true;
    }
  } catch (const SocketTimeout&) {
    // none came
  } catch (const SocketClosed&) {
    if (!stop_.requested()) throw;
  } catch (...) {
    if (std::exchange(entrance().has_permit, false)) permits_.release();
    throw;
  }
  if (std::exchange(entrance().has_permit, false)) permits_.release();
  if (stop_.requested()) return false;
  handle_timeout();
  return false;
}

// Closing the entrances is what wakes get_request; the permits are for when all of them are taken.
void Server::refuse() noexcept {
  close_entrances();
  permits_.release(static_cast<std::int64_t>(entrances_.size()));
}

void Server::on_stop() noexcept {
  refuse();
  if (limits_.form != Form::one_at_a_time) return;
  // The context that serves is busy with the request, or waits for its end.
  try {
    if (!runner_->wait_empty(limits_.drain)) cut_all();
  } catch (const std::runtime_error&) {
    // Cancelled: it waits no more.
  }
}

void Server::serve_on_all_entrances() {
  const auto loops = static_cast<std::size_t>(limits_.form == Form::fiber ? loop_count() : 1);
  if (limits_.deal_out != DealOut::reuse_port || loops < 2) return serve_entrance();
  open_entrances(loops);
  entrances_.resize(loops);
  std::vector<Task<void>> tasks;
  std::exception_ptr failure;
  for (std::size_t loop = 0; loop < loops; ++loop) {
    tasks.push_back(spawn_on(static_cast<int>(loop), [this] { serve_entrance(); }));
  }
  for (const Task<void>& task : tasks) {
    try {
      task.get();
    } catch (...) {
      if (!failure) failure = std::current_exception();
      close_entrances();
      for (const Task<void>& other : tasks) other.kill();
    }
  }
  // A cancellation ends the waiting at once: nobody may be left behind at an entrance.
  for (const Task<void>& task : tasks) {
    const Shield shield;
    task.join();
    static_cast<void>(task.exception());  // the first one was kept
  }
  if (failure) std::rethrow_exception(failure);
}

void Server::serve_entrance() {
  entrance().patience = limits_.service_interval;
  while (!stop_.requested()) {
    try {
      if (one_entrance() && !take_permit(limits_.service_interval)) {
        service_actions();
        continue;
      }
      if (stop_.requested()) return;
      take_one();
    } catch (const SocketTimeout&) {
      // the time for service_actions
    } catch (const SocketClosed&) {
      if (!stop_.requested()) throw;
    }
    service_actions();
  }
}

bool Server::take_permit(Timeout timeout) {
  Entrance& here = entrance();
  if (!here.has_permit) here.has_permit = permits_.acquire(timeout);
  return here.has_permit;
}

// With a single entrance the permit comes first: nobody is taken in who can't be served. Several would hold permits for
// nothing while others want them, so they take one in each and wait with it.
bool Server::admit() { return take_permit(std::nullopt) && !stop_.requested(); }

std::size_t Server::entrance_number() const noexcept {
  return one_entrance() ? 0 : static_cast<std::size_t>(loop_index());
}

Server::Entrance& Server::entrance() noexcept { return entrances_[entrance_number()]; }

bool Server::job_begins() noexcept {
  running_.fetch_add(1, std::memory_order_relaxed);
  return std::exchange(entrance().has_permit, false);
}

void Server::job_ends(bool had_permit) noexcept {
  running_.fetch_sub(1, std::memory_order_relaxed);
  if (had_permit) permits_.release();
}

void Server::server_close() noexcept {
  close_entrances();
  cut();
}

void Server::cut() noexcept {
  if (!runner_ || runs_elsewhere()) return;
  drop_waiting();
  cut_all();
  runner_->see_out();
}

void Server::cut_all() noexcept {
  runner_->cut_all();
  all_cut();
}

}  // namespace hawser
