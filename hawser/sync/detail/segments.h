// Segments: the storage of a queue, a chain of fixed blocks. One side constructs items at the end while another takes
// them from the front, each under its own lock; how far they have come is the queue's business. One emptied segment is
// kept, so that a queue in steady use allocates nothing.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>

namespace hawser::detail {

template <class T>
class Segments {
 public:
  Segments() noexcept = default;
  Segments(const Segments&) = delete;
  Segments& operator=(const Segments&) = delete;
  // The items have gone before.
  ~Segments() {
    Segment* segment = front_ ? front_ : first_;
    while (segment) delete std::exchange(segment, segment->next);
    delete spare_.load(std::memory_order_acquire);
  }

  // The putting side. Constructs the item numbered `position`; when that throws nothing has changed.
  void construct(std::uint64_t position, T&& item) {
    Segment* segment = position % kSlots == 0 ? following() : back_;
    ::new (segment->slot(position)) T(std::move(item));
    back_ = segment;
  }

  // The getting side. The item numbered `position`, which construct() has made.
  T& item(std::uint64_t position) noexcept {
    return *std::launder(reinterpret_cast<T*>(segment_of(position)->slot(position)));
  }

  // The getting side. Destroys that item; its number is not asked for again.
  void destroy(std::uint64_t position) noexcept {
    item(position).~T();
    if (position % kSlots == 0) keep_as_spare(std::exchange(front_, segment_of(position)));
  }

  // Both sides. Leaves this empty and gives everything to `other`, which is.
  void move_to(Segments& other) noexcept {
    other.first_ = std::exchange(first_, nullptr);
    other.back_ = std::exchange(back_, nullptr);
    other.front_ = std::exchange(front_, nullptr);
  }

 private:
  static constexpr std::size_t kSlots = sizeof(T) <= 64 ? 64 : sizeof(T) <= 512 ? 16 : 4;

  struct Segment {
    void* slot(std::uint64_t position) noexcept { return storage + position % kSlots * sizeof(T); }
    alignas(T) std::byte storage[kSlots * sizeof(T)];
    Segment* next = nullptr;
  };

  // The one after back_, which is there already when a construction in it has failed.
  Segment* following() {
    Segment*& link = back_ ? back_->next : first_;
    if (!link) {
      link = spare_.exchange(nullptr, std::memory_order_acquire);
      if (!link) link = new Segment;
    }
    return link;
  }

  // front_ moves on when the first item of the next segment is destroyed.
  Segment* segment_of(std::uint64_t position) noexcept {
    if (position % kSlots != 0) return front_;
    return front_ ? front_->next : first_;
  }

  void keep_as_spare(Segment* segment) noexcept {
    if (!segment) return;
    segment->next = nullptr;
    delete spare_.exchange(segment, std::memory_order_acq_rel);
  }

  Segment* first_ = nullptr;
  Segment* back_ = nullptr;
  alignas(64) Segment* front_ = nullptr;
  std::atomic<Segment*> spare_{nullptr};
};

}  // namespace hawser::detail
