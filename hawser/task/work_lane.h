// PoolWork: a thing that a pool is to do. WorkLane: a list of them, from which others may steal. Internal.
#pragma once

#include <atomic>
#include <cstddef>
#include <exception>

#include <hawser/fiber/spin_lock.h>

namespace hawser::detail {

// One thing to do, in a pool's lane. Each of the three ends the pool's interest in it and comes once.
class PoolWork {
 public:
  PoolWork() = default;
  PoolWork(const PoolWork&) = delete;
  PoolWork& operator=(const PoolWork&) = delete;
  virtual void do_work() noexcept = 0;
  virtual void cancel_work() noexcept = 0;
  virtual void fail_work(std::exception_ptr error) noexcept = 0;

  // For the pool.
  PoolWork* next = nullptr;
  bool has_room = false;  // holds one of the places of a bounded pool

 protected:
  ~PoolWork() = default;
};

// First in, first out. Any thread may call anything; count and order are kept under its spin lock.
class alignas(64) WorkLane {
 public:
  [[nodiscard]] bool empty() const noexcept { return count_.load(std::memory_order_seq_cst) == 0; }
  // False when it is closed.
  [[nodiscard]] bool push(PoolWork& work) noexcept;
  PoolWork* pop() noexcept;
  // Takes everything over to this lane, which is empty.
  bool take_all(WorkLane& from) noexcept;
  // Takes some from the front over to this lane, which is empty.
  bool steal(WorkLane& from) noexcept;
  // Puts everything at the front of another lane, closed or not.
  void give_back(WorkLane& to) noexcept;
  void close() noexcept;

 private:
  SpinLock lock_;
  bool closed_ = false;
  std::atomic<std::size_t> count_{0};  // written with the lock held
  PoolWork* head_ = nullptr;
  PoolWork* tail_ = nullptr;
};

}  // namespace hawser::detail
