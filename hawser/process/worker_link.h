// WorkerLink: the pool's end of one worker: its process, what was sent to it, what it has answered. Internal.
//
// Used under the pool's mutex. Nothing here waits, but for the start of the process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <hawser/base/clock.h>
#include <hawser/base/fd.h>
#include <hawser/process/child_process.h>
#include <hawser/process/pool_task.h>
#include <hawser/process/pool_worker.h>
#include <hawser/process/receive_buffer.h>

namespace hawser::detail {

// A task that has come to its end; what there is to do with it is done without the mutex.
struct Outcome {
  std::unique_ptr<PoolTask> task{};
  std::string result{};
  std::exception_ptr error{};  // null: the result
};

class WorkerLink {
 public:
  enum class State : std::uint8_t { starting, ready, retiring, gone };

  // Starts the process, on the calling thread, with whose end it ends. Throws SystemError.
  WorkerLink(const std::string& name, std::uint32_t limit, const std::string& initializer);
  WorkerLink(const WorkerLink&) = delete;
  WorkerLink& operator=(const WorkerLink&) = delete;
  ~WorkerLink();

  [[nodiscard]] State state() const noexcept { return state_; }
  [[nodiscard]] ChildProcess& process() noexcept { return *process_; }
  [[nodiscard]] int socket() const noexcept { return socket_.get(); }
  [[nodiscard]] std::size_t in_flight() const noexcept { return in_flight_.size(); }
  [[nodiscard]] bool has_unsent() const noexcept { return unsent_ < out_.size(); }
  // How many tasks it was given in its life, and not taken back.
  [[nodiscard]] std::uint64_t given() const noexcept { return answered_ + in_flight_.size(); }
  // How much work should be there, so that it is never idle and never holds much: one task while nothing is known.
  [[nodiscard]] std::size_t window() const noexcept;
  [[nodiscard]] Clock::time_point last_answer() const noexcept { return last_answer_; }

  // It is sent by flush().
  void give(std::unique_ptr<PoolTask> task);
  void flush();
  // Reads what it has said. At the end of that, or when it talks nonsense, it will say nothing more.
  enum class Heard : std::uint8_t { nothing, something, end };
  Heard listen(std::vector<Outcome>& outcomes);
  // It says nothing more: it is about to end, or made to. From now on only its process is watched.
  void turn_deaf();
  [[nodiscard]] bool is_deaf() const noexcept { return deaf_; }
  // What it has not begun, in order; empty as long as not all of it has been sent.
  std::vector<std::unique_ptr<PoolTask>> take_back();
  // No more tasks. It ends when it has answered.
  void retire();
  // After its end: the task that it ran, if it ran one, and those that it did not begin.
  std::unique_ptr<PoolTask> bury(std::vector<std::unique_ptr<PoolTask>>& not_begun);
  // What the initializer threw.
  [[nodiscard]] const std::optional<RemoteFailure>& broken() const noexcept { return broken_; }

 private:
  bool understand(std::vector<Outcome>& outcomes);
  bool answer(const WorkerFrame& frame, BytesView bytes, std::vector<Outcome>& outcomes);

  const std::uint32_t limit_;
  State state_ = State::starting;
  UniqueFd socket_;
  WorkerPage* page_ = nullptr;
  std::optional<ChildProcess> process_;
  std::deque<std::unique_ptr<PoolTask>> in_flight_;
  std::uint64_t answered_ = 0;
  std::string out_;
  std::size_t unsent_ = 0;  // where what is unsent begins in out_
  ReceiveBuffer in_;
  bool taken_back_ = false;  // "go on" is to be sent before the next task
  bool deaf_ = false;
  std::uint64_t nanoseconds_ = 0;  // what a task takes, lately; 0: not known
  Clock::time_point last_answer_ = Clock::now();
  std::optional<RemoteFailure> broken_;
};

}  // namespace hawser::detail
