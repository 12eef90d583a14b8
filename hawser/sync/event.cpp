#include <hawser/sync/event.h>

namespace hawser {

void Event::set() noexcept {
  cell_.enter();
  cell_.wake_all(true);
  cell_.leave(1);
}

void Event::clear() noexcept {
  cell_.enter();
  cell_.leave(0);
}

bool Event::wait_slow(Expiry expiry) {
  if (cell_.enter() != 0) {
    cell_.leave(1);
    return true;
  }
  detail::WaitNode node("event", name_);
  cell_.push_back(node);
  cell_.leave(0);
  const Wake why = cell_.wait(node, expiry);
  if (why == Wake::expired) return false;
  throw_unless_ready(why, "event wait");
  return true;
}

}  // namespace hawser
