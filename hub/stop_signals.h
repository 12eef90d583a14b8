// StopSignals: SIGTERM and SIGINT as something that a fiber waits for.
//
// From its construction on both are blocked in the thread that made it and in the threads made afterwards, and are read
// from a signalfd(2): no handler, no interrupted system call. Make it before run().
#pragma once

#include <csignal>

#include <hawser/fiber/pollable.h>

namespace hawser::hub {

class StopSignals {
 public:
  // Throws SystemError.
  StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  // Sets the signal mask back; one that came unread meanwhile is forgotten.
  ~StopSignals();

  // Waits for the next of the two and returns it. One fiber. Throws DeadlineExceeded, Cancelled.
  [[nodiscard]] int wait();

 private:
  sigset_t before_{};
  Pollable signals_;
};

}  // namespace hawser::hub
