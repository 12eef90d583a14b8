#include <hawser/fiber/deadline.h>

#include <hawser/fiber/context.h>
#include <hawser/fiber/identity.h>

namespace hawser {

Deadline::Deadline(Duration budget, const char* name) : Deadline(Expiry::in(budget), name) {}

Deadline::Deadline(Expiry expiry, const char* name) noexcept
    : expiry_(expiry), name_(name), context_(&detail::Context::current()) {
  outer_ = context_->deadline;
  nearest_ = outer_ && outer_->nearest_->expiry_ <= expiry_ ? outer_->nearest_ : this;
  context_->deadline = this;
}

std::uint64_t Deadline::number() const noexcept {
  if (number_ == 0) number_ = detail::fresh_identity();
  return number_;
}

Deadline::~Deadline() { context_->deadline = outer_; }

Expiry Deadline::current() noexcept {
  const Deadline* nearest = detail::Context::current().nearest_deadline();
  return nearest ? nearest->expiry_ : Expiry::never();
}

}  // namespace hawser
