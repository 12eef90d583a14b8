// WaitCell: one atomic word and a list of waiters, which is all that a Lock, an Event or a Semaphore is made of.
//
// The word holds a value (the owner's meaning), a bit that says somebody waits, and a busy bit that guards the list.
// While the bits are clear the owner works on the word by itself, lock-free. Otherwise it enters: the busy bit is held
// for a few instructions, never across a wait, and nobody else changes the word meanwhile.
//
// leave() is the last touch of the cell, and whoever was woken calls settle() before going on, so that the object may
// be destroyed as soon as a call on it has returned, although the call that caused this is just returning elsewhere.
#pragma once

#include <atomic>
#include <cstdint>

#include <hawser/base/clock.h>
#include <hawser/fiber/waiter.h>
#include <hawser/sync/detail/wait_list.h>

namespace hawser::detail {

// One wait, on the stack of who waits. All but the Waiter is guarded by the cell.
struct WaitNode {
  explicit WaitNode(const char* what, const char* name = nullptr) noexcept : waiter(what, name) {}
  Waiter waiter;
  WaitNode* previous = nullptr;
  WaitNode* next = nullptr;
  const void* place = nullptr;  // what is waited for, in a list that several objects share
  bool listed = false;
  bool insists = false;  // woken once in vain: what it waits for must be handed over next time
  bool granted = false;  // it was handed over with the wake-up
};

class WaitCell {
 public:
  using Word = std::uint64_t;
  static constexpr Word kBusy = 1;
  static constexpr Word kWaiters = 2;
  static constexpr Word kOne = 4;  // the value 1

  explicit WaitCell(Word value = 0) noexcept : word_(value * kOne) {}
  WaitCell(const WaitCell&) = delete;
  WaitCell& operator=(const WaitCell&) = delete;

  [[nodiscard]] std::atomic<Word>& word() noexcept { return word_; }
  [[nodiscard]] Word value(std::memory_order order = std::memory_order_acquire) const noexcept {
    return word_.load(order) / kOne;
  }
  [[nodiscard]] bool has_waiters() const noexcept {
    return (word_.load(std::memory_order_acquire) & (kWaiters | kBusy)) != 0;
  }

  // Takes the cell and returns its value.
  Word enter() noexcept;
  // Gives the cell back with this value. The last touch.
  void leave(Word value) noexcept;

  // Between enter() and leave():
  void push_back(WaitNode& node) noexcept { waiting_.push_back(node); }
  void remove(WaitNode& node) noexcept { waiting_.remove(node); }
  // Takes the first off the list and wakes it, handing over to it if `grant`. False when nobody waits.
  bool wake_first(bool grant) noexcept;
  void wake_all(bool grant) noexcept;

  // Outside, in one step:
  void list(WaitNode& node) noexcept;      // at the end; at the front when it insists
  bool withdraw(WaitNode& node) noexcept;  // false when it had been chosen already
  void release_one() noexcept;
  void release_all() noexcept;
  // Waits until whoever is in the cell has left it.
  void settle() const noexcept;

  // Outside: parks on a node that was listed before leave(). Returns ready also when the wait ended early but the node
  // had been chosen already: a wake-up is never swallowed. Otherwise the node is off the list.
  [[nodiscard]] Wake wait(WaitNode& node, Expiry expiry) noexcept;
  // The same, but nothing but a wake-up ends it.
  void wait_uninterrupted(WaitNode& node) noexcept;

 private:
  std::atomic<Word> word_;
  WaitList<WaitNode> waiting_;
};

}  // namespace hawser::detail
