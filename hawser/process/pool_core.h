// PoolCore: what a ProcessPool does, knowing no types: a thread that starts workers, deals out tasks, hears answers,
// buries the dead and replaces them. Internal.
//
// A task goes straight from submit() to a worker that is idle; otherwise it waits in line and the thread sends it,
// several at a time where tasks are short. What a worker has been sent and has not begun is taken back when it waits
// behind a long task while another worker is idle.
#pragma once

#include <poll.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <hawser/base/clock.h>
#include <hawser/base/fd.h>
#include <hawser/process/pool_spin.h>
#include <hawser/process/pool_task.h>
#include <hawser/process/worker_link.h>
#include <hawser/sync/event.h>
#include <hawser/sync/semaphore.h>
#include <hawser/task/executor.h>

namespace hawser::detail {

struct PoolSettings {
  std::size_t workers = 1;
  std::string name = {};
  std::string initializer = {};
  std::uint64_t max_tasks_per_worker = 0;
  std::size_t max_queued = 0;
  std::uint32_t limit = 0;
  std::size_t deaths_in_a_row = 0;
};

class PoolCore {
 public:
  explicit PoolCore(PoolSettings settings);
  PoolCore(const PoolCore&) = delete;
  PoolCore& operator=(const PoolCore&) = delete;
  // Waits for all that was submitted, come what may. Not in a forked child.
  ~PoolCore();

  // Takes the task, unless it throws.
  void submit(std::unique_ptr<PoolTask>& task);
  void shutdown(const ShutdownOptions& options);
  [[nodiscard]] std::size_t size() const noexcept { return settings_.workers; }
  [[nodiscard]] std::vector<pid_t> pids() const;
  // False in a forked child.
  [[nodiscard]] bool is_here() const noexcept;

 private:
  using Outcomes = std::vector<Outcome>;

  void serve();
  bool serve_once();
  void start_missing(Outcomes& outcomes);
  void deal_out();
  void give(WorkerLink& link, std::size_t most);
  void take_back_stalled();
  [[nodiscard]] WorkerLink* find_idle() const;
  [[nodiscard]] bool is_used_up(const WorkerLink& link) const;
  [[nodiscard]] bool is_stalled(const WorkerLink& link) const;
  void listen(const std::vector<pollfd>& ready, std::size_t first, WorkerLink& link, Outcomes& outcomes);
  void bury(WorkerLink& link, int exit_code, Outcomes& outcomes);
  void break_pool(const std::string& why, Outcomes& outcomes);
  void complete(Outcomes& outcomes);
  void watch(std::vector<pollfd>& into) const;
  [[nodiscard]] Timeout patience() const;
  bool wait(std::vector<pollfd>& watched, Timeout timeout, bool busy);
  void ring() noexcept;
  void wait_for_thread() noexcept;
  std::unique_ptr<PoolTask> take_pending();

  const PoolSettings settings_;
  const pid_t pid_;
  std::optional<Semaphore> room_;  // in line
  UniqueFd bell_;
  Event ended_;

  mutable std::mutex mutex_;  // guards what follows; links_ changes on the thread only
  std::deque<std::unique_ptr<PoolTask>> pending_;
  std::vector<std::unique_ptr<WorkerLink>> links_;
  bool closing_ = false;
  std::optional<std::string> broken_;

  // The thread's own.
  std::size_t deaths_ = 0;
  std::size_t failed_starts_ = 0;
  Expiry next_start_ = Expiry::never();
  std::uint64_t started_ = 0;
  std::size_t heard_ = 0;
  PoolSpin spin_;

  std::thread thread_;
};

}  // namespace hawser::detail
