#include <hawser/serve/stop_signal.h>

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include <hawser/base/errors.h>
#include <hawser/base/system_calls.h>
#include <hawser/fiber/waiter.h>

namespace hawser {
namespace {

UniqueFd new_bell() {
  UniqueFd fd(detail::sys::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!fd) throw_errno("eventfd", "");
  return fd;
}

}  // namespace

StopSignal::StopSignal() : bell_(new_bell()), number_(bell_.fd()) {}

void StopSignal::request() noexcept {
  if (requested_.exchange(true, std::memory_order_acq_rel)) return;
  if (generation_ != detail::fork_generation()) return;  // the parent would hear the bell
  const int saved = errno;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(number_, &one, sizeof one);
  errno = saved;
}

void StopSignal::wait() {
  Pollable::Use use(bell_, Direction::read, "wait for the stop", name_);
  while (!requested()) {
    use.drained();  // what had been reported was no ring: none goes unnoticed from here on
    throw_unless_ready(use.wait(Expiry::never()), "wait for the stop");
  }
}

}  // namespace hawser
