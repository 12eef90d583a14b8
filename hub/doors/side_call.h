// SideCall: one call at a time that runs beside the fiber that started it, on a fiber of its own; for work that goes to
// offload() while the caller goes on with the network.
//
// start() waits for the call before and rethrows what it threw. Leaving scope cancels the call and waits for it,
// whatever happens, so that it may borrow from the caller's stack. One fiber uses it.
#pragma once

#include <optional>
#include <utility>

#include <hawser/fiber/task_group.h>

namespace hawser::hub {

class SideCall {
 public:
  template <class F>
  void start(F&& function) {
    finish();
    group_.emplace();
    group_->spawn(std::forward<F>(function));
  }

  // Waits for the call, if there is one, and rethrows what it threw. Throws DeadlineExceeded and Cancelled when the
  // call has ended nevertheless.
  void finish() {
    if (!group_) return;
    group_->join();
    group_.reset();
  }

 private:
  std::optional<TaskGroup> group_;
};

}  // namespace hawser::hub
