// CompletedRange: what as_completed() returns, for tasks and for futures: a range to go through once, which waits for
// their ends as it is gone through. Internal; see as_completed.h, and <hawser/task/completion.h>.
#pragma once

#include <cstddef>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include <hawser/base/clock.h>

namespace hawser::detail {

// Ends is a CompletionQueue that is made of a vector of handles.
template <class Handle, class Ends>
class CompletedRange {
 public:
  CompletedRange(std::vector<Handle> handles, Expiry expiry)
      : handles_(std::move(handles)), expiry_(expiry), ends_(std::make_unique<Ends>(handles_)) {}

  class iterator {
   public:
    using value_type = Handle;
    using difference_type = std::ptrdiff_t;
    const Handle& operator*() const noexcept { return of_->handles_[at_]; }
    const Handle* operator->() const noexcept { return &of_->handles_[at_]; }
    iterator& operator++() {
      step();
      return *this;
    }
    void operator++(int) { step(); }
    bool operator==(std::default_sentinel_t) const noexcept { return of_ == nullptr; }
    // Where it is among those given.
    [[nodiscard]] std::size_t index() const noexcept { return at_; }

   private:
    friend class CompletedRange;
    explicit iterator(CompletedRange& of) : of_(&of) { step(); }
    void step() {
      if (of_->ends_->left() == 0) {
        of_ = nullptr;
      } else if (const auto next = of_->ends_->next(of_->expiry_)) {
        at_ = *next;
      } else {
        of_->ends_->throw_unfinished();
      }
    }
    CompletedRange* of_;
    std::size_t at_ = 0;
  };

  // Waits for the first end, as ++ waits for the next. Throws TimedOut when the timeout comes before the last end.
  iterator begin() { return iterator(*this); }
  [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

 private:
  std::vector<Handle> handles_;
  Expiry expiry_;
  std::unique_ptr<Ends> ends_;
};

}  // namespace hawser::detail
