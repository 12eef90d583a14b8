#include <hawser/fiber/timers.h>

#include <bit>

namespace hawser::detail {
namespace {

constexpr std::uint8_t kDueLevel = 0xff;  // in due_, not in a slot

}  // namespace

Timers::Timers(Clock::time_point now) : origin_(now) {}

std::uint64_t Timers::floor_tick(Clock::time_point when) const noexcept {
  if (when <= origin_) return 0;
  return static_cast<std::uint64_t>(std::chrono::duration_cast<Duration>(when - origin_).count()) >> kTickBits;
}

std::uint64_t Timers::ceil_tick(Clock::time_point when) const noexcept {
  if (when <= origin_) return 0;
  const auto ns = static_cast<std::uint64_t>(std::chrono::duration_cast<Duration>(when - origin_).count());
  return (ns + (std::uint64_t{1} << kTickBits) - 1) >> kTickBits;
}

void Timers::start(Timer& timer, Clock::time_point when) noexcept {
  timer.tick_ = ceil_tick(when);
  timer.active_ = true;
  ++count_;
  insert(timer);
}

void Timers::cancel(Timer& timer) noexcept {
  if (!timer.active_) return;
  unlink(timer);
  timer.active_ = false;
  --count_;
}

void Timers::insert(Timer& timer) noexcept {
  Timer* head = &due_;
  if (timer.tick_ <= elapsed_) {
    timer.level_ = kDueLevel;
  } else {
    const std::uint64_t differing = (timer.tick_ ^ elapsed_) | 63;
    const int level = std::min((63 - std::countl_zero(differing)) / kSlotBits, kLevels - 1);
    const auto slot = static_cast<unsigned>((timer.tick_ >> (level * kSlotBits)) & 63);
    timer.level_ = static_cast<std::uint8_t>(level);
    timer.slot_ = static_cast<std::uint8_t>(slot);
    levels_[static_cast<std::size_t>(level)].occupied |= std::uint64_t{1} << slot;
    head = &levels_[static_cast<std::size_t>(level)].slots[slot];
  }
  timer.previous_ = head->previous_;
  timer.next_ = head;
  head->previous_->next_ = &timer;
  head->previous_ = &timer;
}

void Timers::unlink(Timer& timer) noexcept {
  timer.previous_->next_ = timer.next_;
  timer.next_->previous_ = timer.previous_;
  timer.next_ = timer.previous_ = &timer;
  if (timer.level_ == kDueLevel) return;
  Level& level = levels_[timer.level_];
  Timer& head = level.slots[timer.slot_];
  if (head.next_ == &head) level.occupied &= ~(std::uint64_t{1} << timer.slot_);
}

// The lowest occupied level holds the earliest slot: everything on a higher level differs from the present in a higher
// digit, and so comes after the lower level has turned over.
bool Timers::next_slot(Slot& found) const noexcept {
  for (int l = 0; l < kLevels; ++l) {
    const Level& level = levels_[static_cast<std::size_t>(l)];
    if (!level.occupied) continue;
    const int shift = l * kSlotBits;
    const auto now_slot = static_cast<int>((elapsed_ >> shift) & 63);
    const auto slot = (static_cast<unsigned>(std::countr_zero(std::rotr(level.occupied, now_slot))) +
                       static_cast<unsigned>(now_slot)) &
                      63;
    const std::uint64_t turn = std::uint64_t{1} << (shift + kSlotBits);
    std::uint64_t tick = (elapsed_ & ~(turn - 1)) + (std::uint64_t{slot} << shift);
    if (tick < elapsed_ && static_cast<int>(slot) != now_slot) tick += turn;
    found = {l, slot, std::max(tick, elapsed_)};
    return true;
  }
  return false;
}

Expiry Timers::next() const noexcept {
  if (due_.next_ != &due_) return Expiry::at(origin_);
  Slot slot{};
  if (!next_slot(slot)) return Expiry::never();
  return Expiry::at(origin_ + Duration(static_cast<std::int64_t>(slot.tick << kTickBits)));
}

void Timers::collect(std::uint64_t now) noexcept {
  for (Slot slot{}; next_slot(slot) && slot.tick <= now;) {
    elapsed_ = slot.tick;
    Level& level = levels_[static_cast<std::size_t>(slot.level)];
    Timer& head = level.slots[slot.slot];
    level.occupied &= ~(std::uint64_t{1} << slot.slot);
    // Take the whole slot off first: a timer may go back into the same slot on its next turn.
    Timer* timer = head.next_;
    head.previous_->next_ = nullptr;
    head.next_ = head.previous_ = &head;
    while (timer) {
      Timer* next = timer->next_;
      insert(*timer);
      timer = next;
    }
  }
  elapsed_ = std::max(elapsed_, now);
}

Timer* Timers::pop_due() noexcept {
  Timer* timer = due_.next_;
  if (timer == &due_) return nullptr;
  unlink(*timer);
  timer->active_ = false;
  --count_;
  return timer;
}

}  // namespace hawser::detail
