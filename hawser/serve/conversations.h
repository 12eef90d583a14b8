// Conversations: the fibers of a server, one a connection: counted, cut together, waited for. Internal.
//
// start() and the waiting belong to one fiber; the conversations themselves may end on any loop.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include <hawser/base/clock.h>
#include <hawser/fiber/spin_lock.h>
#include <hawser/fiber/task.h>
#include <hawser/fiber/waiter.h>
#include <hawser/net/socket.h>

namespace hawser::detail {

class Conversations {
 public:
  // serve(socket) is called for each conversation, ended() after its socket is closed, also when it was cancelled
  // before it began. Neither may throw.
  Conversations(std::function<void(Socket&)> serve, std::function<void()> ended);
  Conversations(const Conversations&) = delete;
  Conversations& operator=(const Conversations&) = delete;
  // All must have ended.
  ~Conversations() = default;

  // On the next loop in turn. Throws std::bad_alloc; ended() is called then too.
  void start(Socket socket);

  [[nodiscard]] std::size_t size() const noexcept;
  // Asks all to stop at their next blocking call.
  void cancel_all() noexcept;
  // Waits until all have ended; false when the timeout came first. Throws DeadlineExceeded, Cancelled.
  bool wait_empty(Timeout timeout = std::nullopt);
  // The same, and nothing ends the wait: for leaving a server behind with nobody in it.
  void see_out() noexcept;

 private:
  struct Conversation {
    Socket socket;
    AnyTask task;
    bool ended = false;
    Conversation* next = nullptr;
    Conversation* previous = nullptr;
  };
  // Ends the conversation when it goes, whether its fiber has run or not.
  class Entry;
  void enter(Conversation& conversation) noexcept;
  void end(Conversation& conversation) noexcept;
  // Whether there is something to wait for; the waiter is known then.
  bool begin_waiting(Waiter& waiter) noexcept;
  // Whether all have ended by now.
  bool end_waiting() noexcept;

  std::function<void(Socket&)> serve_;
  std::function<void()> ended_;
  mutable SpinLock lock_;  // guards the list and what hangs on it
  Conversation* first_ = nullptr;
  std::size_t count_ = 0;
  Waiter* waiting_ = nullptr;  // woken when the last one has ended
  int next_loop_ = 0;
};

}  // namespace hawser::detail
