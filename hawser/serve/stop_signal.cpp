#include <hawser/serve/stop_signal.h>

#include <hawser/base/bell.h>
#include <hawser/base/errors.h>
#include <hawser/fiber/waiter.h>

namespace hawser {

StopSignal::StopSignal() : bell_(detail::make_bell()), number_(bell_.fd()) {}

void StopSignal::request() noexcept {
  if (requested_.exchange(true, std::memory_order_acq_rel)) return;
  if (generation_ != detail::fork_generation()) return;  // the parent would hear the bell
  detail::ring_bell(number_);
}

void StopSignal::wait() {
  Pollable::Use use(bell_, Direction::read, "wait for the stop", name_);
  while (!requested()) {
    use.drained();  // what had been reported was no ring: none goes unnoticed from here on
    throw_unless_ready(use.wait(Expiry::never()), "wait for the stop");
  }
}

}  // namespace hawser
