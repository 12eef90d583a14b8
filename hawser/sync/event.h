// Event: a flag that contexts wait for. set() frees everybody who waits, also when clear() follows at once.
//
// Between fibers, threads and both; every call from anywhere. wait() throws DeadlineExceeded and Cancelled. The Event
// may be destroyed as soon as a wait() on it has returned and no other call is to come.
#pragma once

#include <hawser/base/clock.h>
#include <hawser/sync/detail/wait_cell.h>

namespace hawser {

class Event {
 public:
  Event() noexcept = default;
  // The name appears in dumps of fibers; it must be a literal or outlive the Event.
  explicit Event(const char* name) noexcept : name_(name) {}
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  ~Event() = default;

  void set() noexcept;
  void clear() noexcept;
  [[nodiscard]] bool is_set() const noexcept { return cell_.value() != 0; }

  // True when it was set; false when the timeout came first. Throws std::invalid_argument for a negative timeout.
  bool wait(Timeout timeout = std::nullopt) {
    const Expiry expiry = Expiry::of(timeout);
    return cell_.word().load(std::memory_order_acquire) == detail::WaitCell::kOne || wait_slow(expiry);
  }

 private:
  bool wait_slow(Expiry expiry);
  detail::WaitCell cell_;
  const char* name_ = nullptr;
};

}  // namespace hawser
