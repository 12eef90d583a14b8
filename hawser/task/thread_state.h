// What a Thread refers to: its name, how far it is, how it ended, and who waits for that. Internal; see thread.h.
#pragma once

#include <pthread.h>
#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <hawser/base/clock.h>
#include <hawser/task/end_mark.h>

namespace hawser::detail {

class ThreadState : public std::enable_shared_from_this<ThreadState> {
 public:
  ThreadState(std::string name, bool daemon);
  ThreadState(const ThreadState&) = delete;
  ThreadState& operator=(const ThreadState&) = delete;
  ~ThreadState();

  // The state of a thread that runs already and that nobody started as a Thread. On that thread.
  static std::shared_ptr<ThreadState> adopt(std::string name);
  // Of the calling thread; made when there is none.
  static const std::shared_ptr<ThreadState>& current();
  static std::shared_ptr<ThreadState> main();
  // The main thread, and those that were started as Threads and have not ended, in the order of their starts.
  static std::vector<std::shared_ptr<ThreadState>> all();
  // "Thread-1", "Thread-2", …
  static std::string fresh_name();

  // Throws std::logic_error when it was started before; SystemError, and then it may be started again.
  void start(std::function<void()> body);
  // False when the expiry came first. Throws std::logic_error before the start and in the thread itself.
  bool join(Expiry expiry);
  // The same, but nothing ends it early, and it says nothing of errors.
  void join_uninterrupted() noexcept;
  void rethrow();

  [[nodiscard]] bool started() const noexcept { return status_.load(std::memory_order_acquire) != kInitial; }
  [[nodiscard]] bool alive() const noexcept { return status_.load(std::memory_order_acquire) == kRunning; }
  [[nodiscard]] bool is_current() const noexcept;
  [[nodiscard]] std::uint64_t ident() const noexcept { return ident_.load(std::memory_order_acquire); }
  [[nodiscard]] pid_t native_id() const noexcept { return native_id_.load(std::memory_order_acquire); }
  [[nodiscard]] std::string name() const;
  void set_name(std::string name);
  [[nodiscard]] bool daemon() const noexcept { return daemon_.load(std::memory_order_relaxed); }
  void set_daemon(bool daemon);

 private:
  enum Status : std::uint32_t { kInitial, kRunning, kEnded };

  static void join_all_at_exit() noexcept;
  void begin_here() noexcept;
  void end_here(std::exception_ptr error) noexcept;
  void run(std::function<void()> body) noexcept;
  void reap() noexcept;

  const std::uint32_t generation_;  // of the process that made it
  std::atomic<std::uint32_t> status_{kInitial};
  std::atomic<bool> daemon_;
  std::atomic<bool> error_seen_{false};
  std::atomic<std::uint64_t> ident_{0};
  std::atomic<pid_t> native_id_{0};
  EndMark ended_;
  // Guarded by a mutex of all states.
  std::string name_;
  bool named_here_ = false;  // the kernel may be told by handle_
  pthread_t handle_{};
  std::thread thread_;
  std::exception_ptr error_;  // written before the end
};

}  // namespace hawser::detail
