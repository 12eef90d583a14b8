// StableHeap: items ordered by a comparison; of equal ones the first put comes out first. A comparison or a move that
// throws leaves everything as it was: where an item goes is found by comparing alone, and only then it is moved there.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include <hawser/sync/detail/carried.h>

namespace hawser::detail {

template <class T, class Before>
class StableHeap {
 public:
  struct Entry {
    Carried<T> carried;
    std::uint64_t order;
  };
  using Items = std::vector<Entry>;

  explicit StableHeap(Before before = {}) : before_(std::move(before)) {}

  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
  void swap(Items& other) noexcept { entries_.swap(other); }

  void push(T&& item) {
    std::size_t place = entries_.size();
    while (place > 0 && before_(std::as_const(item), entries_[parent(place)].carried.item())) place = parent(place);
    if (entries_.size() == entries_.capacity()) entries_.reserve(2 * entries_.size() + 16);
    std::size_t at = entries_.size();
    entries_.push_back({Carried<T>(std::move(item)), next_++});
    if (place == at) return;
    Entry fresh = std::move(entries_[at]);
    for (; at != place; at = parent(at)) entries_[at] = std::move(entries_[parent(at)]);
    entries_[place] = std::move(fresh);
  }

  // Precondition: size() != 0.
  T pop() {
    // Where the last entry goes when it takes the place of the first: down along the smaller children.
    std::array<std::size_t, 64> path;
    std::size_t steps = 0;
    const std::size_t last = entries_.size() - 1;
    for (std::size_t at = 0; 2 * at + 1 < last;) {
      std::size_t child = 2 * at + 1;
      if (child + 1 < last && goes_before(entries_[child + 1], entries_[child])) ++child;
      if (!goes_before(entries_[child], entries_[last])) break;
      path[steps++] = at = child;
    }
    T top = std::move(entries_.front().carried.item());
    std::size_t hole = 0;
    for (std::size_t i = 0; i < steps; ++i) {
      entries_[hole] = std::move(entries_[path[i]]);
      hole = path[i];
    }
    if (hole != last) entries_[hole] = std::move(entries_[last]);
    entries_.pop_back();
    return top;
  }

 private:
  static std::size_t parent(std::size_t at) noexcept { return (at - 1) / 2; }
  bool goes_before(const Entry& a, const Entry& b) const {
    if (before_(a.carried.item(), b.carried.item())) return true;
    if (before_(b.carried.item(), a.carried.item())) return false;
    return a.order < b.order;
  }

  Items entries_;
  std::uint64_t next_ = 0;
  [[no_unique_address]] Before before_;
};

}  // namespace hawser::detail
