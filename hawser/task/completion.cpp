#include <hawser/task/completion.h>

#include <utility>

#include <hawser/fiber/waiter.h>
#include <hawser/task/waiting_worker.h>

namespace hawser::detail {

FutureEnds::FutureEnds(std::vector<StateRef<FutureState>> states)
    : CompletionQueue(states.size(), "futures", "futures"), states_(std::move(states)) {
  listen_to(states_);
}

FutureEnds::~FutureEnds() { stop_listening_to(states_); }

Wake FutureEnds::park(Waiter& waiter, Expiry expiry) noexcept {
  const WaitingWorker others_may_have_to_help;
  return waiter.park(expiry);
}

bool FutureEnds::wait(Expiry expiry, ReturnWhen when) {
  while (left() != 0) {
    const auto index = next(expiry);
    if (!index) return false;
    if (when == ReturnWhen::first_completed) break;
    if (when == ReturnWhen::first_exception && states_[*index]->status() == FutureState::kFailed) break;
  }
  return true;
}

}  // namespace hawser::detail
