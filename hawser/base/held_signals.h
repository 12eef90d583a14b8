// HeldSignals: while one lives, no signal reaches the thread but in a call that is given the mask. Internal.
//
// A thread that is started meanwhile never gets any: signals are for the program's own threads.
#pragma once

#include <signal.h>

#include <cerrno>

namespace hawser::detail {

class HeldSignals {
 public:
  HeldSignals() noexcept {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~HeldSignals() {
    const int saved = errno;
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    errno = saved;
  }
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;
  // What is held back otherwise.
  [[nodiscard]] const sigset_t* mask() const noexcept { return &before_; }

 private:
  sigset_t before_;
};

}  // namespace hawser::detail
