// Runner: a way to run requests: in place, in threads, in forked children, on fibers. Job: one request to be run.
// Internal.
//
// A server starts jobs from one context (or, with a listener a loop, from several); they end anywhere. A Runner keeps
// the jobs under way, cuts them together and waits for them.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include <hawser/base/clock.h>
#include <hawser/fiber/spin_lock.h>
#include <hawser/fiber/task.h>
#include <hawser/fiber/waiter.h>
#include <hawser/serve/server_options.h>

namespace hawser::detail {

class Job : public std::enable_shared_from_this<Job> {
 public:
  Job() = default;
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;
  virtual ~Job() = default;

  // The whole request.
  virtual void run() noexcept = 0;
  // Ends what a thread may be waiting for on the request's socket. From any context, at any time.
  virtual void cut() noexcept = 0;
  // The last thing that is done with it, whether it has run or not: closes its socket, gives back its place.
  virtual void end() noexcept = 0;

  // Forking: the child has it now, and the parent closes its copies.
  virtual void leave_to_child() noexcept = 0;
  // Forking, in the parent: the child did not end by itself.
  virtual void child_failed(std::exception_ptr error) noexcept = 0;
  // Forking, in the child, before run().
  virtual void enter_child() noexcept = 0;

 private:
  friend class Runner;
  friend class FiberRunner;
  std::shared_ptr<Job> itself_;  // while it is under way
  Job* next_ = nullptr;
  Job* previous_ = nullptr;
  AnyTask task_;
  int loop_ = -1;
};

class Runner {
 public:
  Runner() = default;
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;
  // All jobs must have ended.
  virtual ~Runner() = default;

  // Throws when the job could not be started; it has ended then.
  virtual void start(std::shared_ptr<Job> job) = 0;
  // Asks all to stop. By default cuts each.
  virtual void cut_all() noexcept;
  // Whether start() returns only when the job has ended.
  [[nodiscard]] virtual bool in_place() const noexcept { return false; }

  // Waits until all have ended; false when the timeout came first. Throws DeadlineExceeded, Cancelled.
  bool wait_empty(Timeout timeout = std::nullopt);
  // The same, and nothing ends the wait.
  void see_out() noexcept;

 protected:
  void enter(Job& job) noexcept;
  // The last touch of the runner by a job.
  void leave(Job& job) noexcept;
  mutable SpinLock lock_;  // guards the list and what hangs on it
  Job* first_ = nullptr;

 private:
  struct Waiting {
    Waiter waiter{"end of the requests"};
    Waiting* next = nullptr;
  };
  // Whether there is something to wait for; the waiter is known then.
  bool begin_waiting(Waiting& waiting) noexcept;
  // Whether all have ended by now.
  bool end_waiting(Waiting& waiting) noexcept;
  std::size_t count_ = 0;
  Waiting* waiting_ = nullptr;  // a list; woken when the last job has ended
};

// request_deadline: what a forked child may take before it is killed. deal_out: with a listener a loop, fibers stay
// where they are started.
std::unique_ptr<Runner> make_runner(Form form, Timeout request_deadline, DealOut deal_out);

std::unique_ptr<Runner> make_in_place_runner();
std::unique_ptr<Runner> make_thread_runner();
std::unique_ptr<Runner> make_fork_runner(Timeout request_deadline);
// on_all_loops: deals the jobs out; otherwise they stay on the loop that starts them.
std::unique_ptr<Runner> make_fiber_runner(bool on_all_loops);

}  // namespace hawser::detail
