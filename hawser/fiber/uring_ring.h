// UringRing: one io_uring: the queue of submissions, the queue of completions, and the one system call that hands over
// the former and waits for the latter. Internal. It is made disabled on any thread; everything after begin() belongs to
// the thread that called it, since the kernel serves a ring of a single issuer faster.
//
// The raw interface: liburing 2.3 knows half of what is asked for here. Sources: io_uring(7), io_uring_setup(2),
// io_uring_enter(2).
#pragma once

#include <linux/io_uring.h>

#include <algorithm>
#include <atomic>
#include <cstdint>

#include <hawser/base/clock.h>
#include <hawser/base/fd.h>

namespace hawser::detail {

class UringRing {
 public:
  // How the kernel runs what completes, best first; older kernels know fewer.
  enum class Mode : std::uint8_t {
    deferred,     // only when this thread asks for completions (Linux 6.1)
    cooperative,  // at its next system call, without an interrupt (5.19)
    plain,
  };

  // The best mode there is. Throws SystemError naming what was refused: io_uring as such (EPERM under a filter, ENOSYS)
  // or a kernel too old for it to be of use.
  UringRing();
  explicit UringRing(Mode mode);
  UringRing(const UringRing&) = delete;
  UringRing& operator=(const UringRing&) = delete;
  // Cancels whatever is under way.
  ~UringRing();

  [[nodiscard]] Mode mode() const noexcept { return mode_; }

  // From now on it belongs to the calling thread. end() undoes what the thread keeps for it; begin() may follow, on the
  // same thread.
  void begin();
  void end() noexcept;
  // Nobody has called begin() yet.
  [[nodiscard]] bool untouched() const noexcept { return thread_ == 0; }
  // Whether it belongs to the calling thread.
  [[nodiscard]] bool ours() const noexcept;

  // The next submission, cleared, to be filled in before anything else is called; null when the queue is full.
  [[nodiscard]] io_uring_sqe* next_submission() noexcept {
    if (sq_tail_ - sq_head_.load(std::memory_order_acquire) == sq_entries_) return nullptr;
    io_uring_sqe* entry = &submissions_[sq_tail_++ & sq_mask_];
    *entry = {};
    return entry;
  }

  // True when enter() would find nothing to do.
  [[nodiscard]] bool idle() const noexcept;

  // Hands the submissions over; waits until a completion is there or the time is up (nothing: for ever, zero: not at
  // all). Returns early for a signal. When the kernel has no memory for a submission, it stays in the queue for the
  // next time. Returns how many system calls that took. Throws SystemError otherwise.
  unsigned enter(Timeout timeout);
  // Hands the submissions over and does not wait, nor look for completions. False when the kernel did not take them
  // all; they stay in the queue then.
  bool submit() noexcept;
  // Where other rings' messages go.
  [[nodiscard]] int number() const noexcept { return fd_.get(); }
  // Submissions that the next enter() will hand over.
  [[nodiscard]] std::uint32_t unsubmitted() const noexcept;

  [[nodiscard]] bool has_completions() const noexcept {
    return cq_tail_.load(std::memory_order_acquire) != cq_head_.load(std::memory_order_relaxed);
  }
  // Calls handle(const io_uring_cqe&) for each completion that is there, up to so many.
  template <class Handle>
  void take(std::uint32_t most, Handle&& handle) {
    std::uint32_t head = cq_head_.load(std::memory_order_relaxed);
    const std::uint32_t end = head + std::min(most, cq_tail_.load(std::memory_order_acquire) - head);
    for (; head != end; ++head) handle(completions_[head & cq_mask_]);
    cq_head_.store(head, std::memory_order_release);
  }

 private:
  // A word that is shared with the kernel.
  class Word {
   public:
    void at(void* base, std::uint32_t offset) noexcept {
      place_ = reinterpret_cast<std::uint32_t*>(static_cast<std::byte*>(base) + offset);
    }
    [[nodiscard]] std::uint32_t load(std::memory_order order) const noexcept {
      return std::atomic_ref(*place_).load(order);
    }
    void store(std::uint32_t value, std::memory_order order) noexcept { std::atomic_ref(*place_).store(value, order); }

   private:
    std::uint32_t* place_ = nullptr;
  };
  struct Mapping {
    Mapping() = default;
    Mapping(const Mapping&) = delete;
    Mapping& operator=(const Mapping&) = delete;
    ~Mapping();
    void map(int fd, std::size_t size, std::uint64_t offset);
    void* base = nullptr;
    std::size_t bytes = 0;
  };

  void set_up(Mode mode);
  int call_enter(std::uint32_t count, Timeout timeout) noexcept;
  void map(const io_uring_params& made);

  Mode mode_ = Mode::plain;
  UniqueFd fd_;
  Mapping queues_;
  Mapping entries_;
  io_uring_sqe* submissions_ = nullptr;
  io_uring_cqe* completions_ = nullptr;
  std::uint32_t sq_tail_ = 0;  // ours; the kernel hears of it in enter()
  std::uint32_t sq_entries_ = 0;
  std::uint32_t sq_mask_ = 0;
  std::uint32_t cq_mask_ = 0;
  Word sq_head_, sq_shared_tail_, sq_flags_, cq_head_, cq_tail_;

  std::uint32_t enter_flags_ = 0;
  int enter_fd_ = -1;         // the descriptor, or its place among the thread's registered rings
  std::uint64_t thread_ = 0;  // whose it is; 0: nobody's yet
  bool registered_ = false;
};

}  // namespace hawser::detail
