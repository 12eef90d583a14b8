// Semaphore: a number of permits. acquire() takes one and waits while there is none; release() gives some back.
//
// First come, first served. Between fibers, threads and both. acquire() throws DeadlineExceeded and Cancelled, and then
// holds no permit. BoundedSemaphore refuses to hold more permits than it started with.
#pragma once

#include <cstdint>

#include <hawser/base/clock.h>
#include <hawser/sync/detail/wait_cell.h>

namespace hawser {

class Semaphore {
 public:
  // Throws std::invalid_argument for a negative number of permits. The name appears in dumps of fibers; it must be a
  // literal or outlive the semaphore.
  explicit Semaphore(std::int64_t permits = 1, const char* name = nullptr);
  Semaphore(const Semaphore&) = delete;
  Semaphore& operator=(const Semaphore&) = delete;
  ~Semaphore() = default;

  // False when the timeout came first. Throws std::invalid_argument for a negative timeout.
  bool acquire(Timeout timeout = std::nullopt) {
    const Expiry expiry = Expiry::of(timeout);
    return try_acquire() || acquire_slow(expiry);
  }
  [[nodiscard]] bool try_acquire() noexcept;
  // Throws std::invalid_argument when count is less than 1; std::overflow_error beyond 2^61 permits.
  void release(std::int64_t count = 1);
  // Permits to be had now.
  [[nodiscard]] std::int64_t value() const noexcept { return static_cast<std::int64_t>(cell_.value()); }

 protected:
  static constexpr std::int64_t kMost = std::int64_t{1} << 61;
  // False, and nothing given back, when that made more than `most` permits.
  bool give_back(std::int64_t count, std::int64_t most);

 private:
  bool acquire_slow(Expiry expiry);
  detail::WaitCell cell_;
  const char* name_;
};

class BoundedSemaphore : private Semaphore {
 public:
  explicit BoundedSemaphore(std::int64_t permits = 1, const char* name = nullptr)
      : Semaphore(permits, name), bound_(permits) {}
  using Semaphore::acquire;
  using Semaphore::try_acquire;
  using Semaphore::value;
  // Throws std::logic_error, and gives nothing back, when that made more permits than at the start.
  void release(std::int64_t count = 1);

 private:
  std::int64_t bound_;
};

}  // namespace hawser
