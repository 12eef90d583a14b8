// EndMark: an end that comes once and that any number of contexts wait for. Internal.
//
// As an Event that is never cleared, but it can also be waited for where nothing may cut the wait short: in
// destructors.
#pragma once

#include <hawser/base/clock.h>
#include <hawser/sync/detail/wait_cell.h>

namespace hawser::detail {

class EndMark {
 public:
  void set() noexcept {
    cell_.enter();
    cell_.wake_all(true);
    cell_.leave(1);
  }
  [[nodiscard]] bool is_set() const noexcept { return cell_.value() != 0; }

  // False when the expiry came first. Throws DeadlineExceeded, Cancelled.
  bool wait(Expiry expiry, const char* what) {
    WaitNode node(what);
    if (!list(node)) return true;
    const Wake why = cell_.wait(node, expiry);
    if (why == Wake::expired) return false;
    throw_unless_ready(why, what);
    return true;
  }
  void wait_uninterrupted(const char* what) noexcept {
    WaitNode node(what);
    if (list(node)) cell_.wait_uninterrupted(node);
  }

 private:
  bool list(WaitNode& node) noexcept {
    const auto value = cell_.enter();
    if (value == 0) cell_.push_back(node);
    cell_.leave(value);
    return value == 0;
  }
  WaitCell cell_;
};

}  // namespace hawser::detail
