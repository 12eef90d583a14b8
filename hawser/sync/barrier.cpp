#include <hawser/sync/barrier.h>

#include <utility>

namespace hawser {

Barrier::Barrier(std::size_t parties, std::function<void()> action, const char* name)
    : parties_(parties), action_(std::move(action)), name_(name) {
  if (parties == 0) throw std::invalid_argument("a barrier needs at least one party");
}

// Ends the round without its having opened.
void Barrier::send_away(bool broken) noexcept {
  broken_.store(broken, std::memory_order_release);
  arrived_.store(0, std::memory_order_release);
  opening_ = false;
  ++round_;
  cell_.wake_all(false);
  late_.release_all();
}

std::size_t Barrier::wait(Timeout timeout) {
  const Expiry expiry = Expiry::of(timeout);
  for (;;) {
    cell_.enter();
    if (broken()) {
      cell_.leave(0);
      throw BrokenBarrier("the barrier is broken");
    }
    if (!opening_) break;
    detail::WaitNode node("barrier", name_);
    late_.list(node);
    cell_.leave(0);
    const Wake why = late_.wait(node, expiry);
    if (why == Wake::ready) continue;
    abort();
    if (why == Wake::expired) throw BrokenBarrier("the barrier is broken: a wait timed out");
    throw_unless_ready(why, "barrier wait");
  }

  const std::size_t place = arrived_.load(std::memory_order_relaxed);
  arrived_.store(place + 1, std::memory_order_release);
  if (place + 1 == parties_) {
    opening_ = true;
    const std::uint64_t round = round_;
    cell_.leave(0);
    return open(round);
  }

  detail::WaitNode node("barrier", name_);
  cell_.push_back(node);
  cell_.leave(0);
  const Wake why = node.waiter.park(expiry);
  cell_.enter();
  // Leaving and breaking are one step: nobody may take this party for present once it has turned away.
  const bool turned_away = node.listed;
  if (turned_away) {
    cell_.remove(node);
    send_away(true);
  }
  cell_.leave(0);
  if (turned_away && why != Wake::expired) throw_unless_ready(why, "barrier wait");
  if (turned_away) throw BrokenBarrier("the barrier is broken: a wait timed out");
  if (!node.granted) throw BrokenBarrier("the barrier was broken or reset");
  return place;
}

// In the last party, with opening_ set: nobody else comes in meanwhile, but the round may be broken or reset.
std::size_t Barrier::open(std::uint64_t round) {
  if (action_) {
    try {
      action_();
    } catch (...) {
      cell_.enter();
      if (round == round_) send_away(true);
      cell_.leave(0);
      throw;
    }
  }
  cell_.enter();
  const bool opened = round == round_;
  if (opened) {
    arrived_.store(0, std::memory_order_release);
    opening_ = false;
    ++round_;
    cell_.wake_all(true);
    late_.release_all();
  }
  cell_.leave(0);
  if (!opened) throw BrokenBarrier("the barrier was broken or reset");
  return parties_ - 1;
}

void Barrier::abort() noexcept {
  cell_.enter();
  send_away(true);
  cell_.leave(0);
}

void Barrier::reset() noexcept {
  cell_.enter();
  send_away(false);
  cell_.leave(0);
}

}  // namespace hawser
