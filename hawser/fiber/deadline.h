// Deadline: a time budget for everything inside a scope, on fibers and on plain threads.
//
//   { Deadline budget(2s, "fetch"); slow_conversation(sock); }   // throws DeadlineExceeded inside
//
// Scopes nest; the nearest moment wins, and the error says which scope it was. Whoever catches it inside must let pass
// what belongs to a scope further out:
//
//   catch (const DeadlineExceeded& late) { if (!budget.caused(late)) throw; ... }
//
// A Deadline belongs to the context that
// made it and must end there, innermost first (which a local variable does by itself).
#pragma once

#include <cstdint>

#include <hawser/base/clock.h>
#include <hawser/base/errors.h>

namespace hawser {

namespace detail {
class Context;
}

class Deadline {
 public:
  // Throws std::invalid_argument for a negative budget. The name must be a literal or outlive the scope.
  explicit Deadline(Duration budget, const char* name = "deadline");
  explicit Deadline(Expiry expiry, const char* name = "deadline") noexcept;
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;
  ~Deadline();

  [[nodiscard]] Expiry expiry() const noexcept { return expiry_; }
  [[nodiscard]] bool passed() const { return expiry_.passed(); }
  [[nodiscard]] const char* name() const noexcept { return name_; }
  [[nodiscard]] Timeout left() const { return expiry_.left(); }

  // Whether it was this scope that ran out and not one around it, or one that somebody else's error came from.
  [[nodiscard]] bool caused(const DeadlineExceeded& error) const noexcept {
    return number_ != 0 && error.scope() == number_;
  }
  // What DeadlineExceeded::scope() says of it. On the context that made it.
  [[nodiscard]] std::uint64_t number() const noexcept;

  // The scope that ends first, of this one and those around it.
  [[nodiscard]] const Deadline* nearest() const noexcept { return nearest_; }

  // The nearest moment of the scopes around the caller; never when there is none.
  static Expiry current() noexcept;

 private:
  friend class detail::Context;
  Expiry expiry_;
  const char* name_;
  Deadline* outer_;
  const Deadline* nearest_;  // of this scope and those around it
  detail::Context* context_;
  mutable std::uint64_t number_ = 0;  // given when first asked for
};

}  // namespace hawser
