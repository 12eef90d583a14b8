#include "hub/stop_signals.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include <hawser/base/errors.h>

namespace hawser::hub {

namespace {

sigset_t stop_set() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

UniqueFd open_signals() {
  const sigset_t set = stop_set();
  UniqueFd fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) throw_errno("signalfd", "SIGTERM, SIGINT");
  return fd;
}

const std::string kObject = "signals";

}  // namespace

StopSignals::StopSignals() : signals_(open_signals()) {
  const sigset_t set = stop_set();
  const int error = pthread_sigmask(SIG_BLOCK, &set, &before_);
  if (error != 0) throw SystemError(error, "pthread_sigmask", kObject);
}

StopSignals::~StopSignals() {
  signalfd_siginfo unread;
  while (::read(signals_.fd(), &unread, sizeof unread) > 0) {
  }
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

int StopSignals::wait() {
  Pollable::Use use(signals_, Direction::read, "read", kObject);
  for (;;) {
    signalfd_siginfo signal;
    const ssize_t got = ::read(use.fd(), &signal, sizeof signal);
    if (got == static_cast<ssize_t>(sizeof signal)) return static_cast<int>(signal.ssi_signo);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno != EAGAIN) throw_errno("read", kObject);
    use.drained();
    throw_unless_ready(use.wait(Expiry::never()), "wait for a signal");
  }
}

}  // namespace hawser::hub
