// Deadline: a time budget for everything inside a scope, on fibers and on plain threads.
//
//   { Deadline budget(2s, "fetch"); slow_conversation(sock); }   // throws DeadlineExceeded inside
//
// Scopes nest; the nearest moment wins, and the error says which scope it was. A Deadline belongs to the context that
// made it and must end there, innermost first (which a local variable does by itself).
#pragma once

#include <hawser/base/clock.h>

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
};

}  // namespace hawser
