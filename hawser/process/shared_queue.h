// SharedQueue: messages in memory that processes share, in order and bounded, whoever of them dies when. What
// ProcessQueue is made of. Internal.
//
// A ring of bytes under a robust mutex. What has been put and taken is told by an index of which there are two copies:
// a change is written into the one that is not in use, and becomes true with a single store. So a process that is
// killed while it holds the mutex has either done its step or has not; whoever is next is told (EOWNERDEAD) and finds
// nothing to mend. Who waits does so on an eventfd, in its own loop or thread; these are rung *before* the step that
// they tell of, and silenced only under the mutex by who found that there is nothing, so that a death in between costs
// one look in vain and never a wake-up. Nobody waits for the mutex itself: a holder that was stopped (SIGSTOP) holds up
// the others no longer than their timeouts. Sources: pthread_mutexattr_setrobust(3), eventfd(2).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include <hawser/base/bytes.h>
#include <hawser/base/clock.h>
#include <hawser/base/fd.h>

namespace hawser::detail {

class SharedQueue {
 public:
  // max_items 0: as many as there are bytes for.
  SharedQueue(std::size_t max_items, std::size_t capacity);
  SharedQueue(const SharedQueue&) = delete;
  SharedQueue& operator=(const SharedQueue&) = delete;
  ~SharedQueue();

  // False when there was no room in time. Throws ShutDown, std::length_error for a message that never has room,
  // DeadlineExceeded, Cancelled.
  bool put(BytesView message, Expiry expiry);
  // Nothing when none came in time. Throws ShutDown, DeadlineExceeded, Cancelled.
  std::optional<std::string> get(Expiry expiry);
  // Throws std::logic_error when there were not so many; TimedOut when the queue could not be had in time.
  void task_done();
  bool join(Expiry expiry);
  void shutdown(bool immediate);

  [[nodiscard]] std::size_t size() const noexcept;
  [[nodiscard]] bool full() const noexcept;

 private:
  struct Index;
  struct Shared;
  class Hold;
  // The three things there are to wait for.
  enum Bell : std::uint8_t { item, room, idle };

  [[nodiscard]] const Index& index() const noexcept;
  void commit(const Index& next) noexcept;
  [[nodiscard]] bool has_room(const Index& now, std::size_t message) const noexcept;
  [[nodiscard]] bool takes_more(const Index& now) const noexcept;
  void ring(Bell bell) noexcept;
  void silence(Bell bell) noexcept;
  // False when the expiry came first.
  bool wait(Bell bell, Expiry expiry);
  void copy_in(std::uint64_t at, const void* from, std::size_t size) noexcept;
  void copy_out(std::uint64_t at, void* into, std::size_t size) const noexcept;

  const std::size_t max_items_;
  const std::size_t capacity_;
  Shared* shared_;
  UniqueFd bells_[3];
};

}  // namespace hawser::detail
