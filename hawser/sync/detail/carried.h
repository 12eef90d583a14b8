// Carried: a T in a form that moves without throwing: itself, or, where its own move may throw, behind a pointer. For
// structures that must move what they hold in the middle of something that can't be taken back.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace hawser::detail {

template <class T>
inline constexpr bool kMovesSafely = std::is_nothrow_move_constructible_v<T>&& std::is_nothrow_move_assignable_v<T>;

template <class T>
class Carried {
 public:
  explicit Carried(T&& item) : held_(wrap(std::move(item))) {}

  [[nodiscard]] T& item() noexcept {
    if constexpr (kMovesSafely<T>) {
      return held_;
    } else {
      return *held_;
    }
  }
  [[nodiscard]] const T& item() const noexcept {
    if constexpr (kMovesSafely<T>) {
      return held_;
    } else {
      return *held_;
    }
  }

 private:
  using Held = std::conditional_t<kMovesSafely<T>, T, std::unique_ptr<T>>;
  static Held wrap(T&& item) {
    if constexpr (kMovesSafely<T>) {
      return std::move(item);
    } else {
      return std::make_unique<T>(std::move(item));
    }
  }
  Held held_;
};

}  // namespace hawser::detail
