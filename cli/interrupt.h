// Interrupt: turns SIGINT, SIGTERM and SIGHUP into something that fibers can wait for.
//
// The first signal is handed to next(); a second one ends the process at once with 128 + its number, so that nobody is
// ever held here. One object a process, made before the fibers that wait. What must be put right before the process
// ends like that (a terminal without echo) is registered with hold_terminal().
#pragma once

#include <memory>

#include <hawser/fiber/task.h>
#include <hawser/process/pipe_stream.h>

struct termios;

namespace hawser::cli {

class Interrupt {
 public:
  // Installs the handlers; signals that are ignored already (nohup) stay ignored. Throws SystemError.
  Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;
  // Restores the handlers that were there before.
  ~Interrupt();

  // Waits for the next signal and returns its number. Throws Cancelled, DeadlineExceeded.
  [[nodiscard]] int next();

  // The number of the first signal that came; 0 while there was none.
  [[nodiscard]] static int received() noexcept;

  // Until release_terminal(), the process puts these settings back on fd before it ends by a second signal.
  static void hold_terminal(int fd, const termios& settings) noexcept;
  static void release_terminal() noexcept;

 private:
  std::unique_ptr<PipeStream> signals_;
};

// Calls work() on a fiber of its own, and cancels it when a signal comes. Rethrows what it throws.
template <class Work>
void unless_interrupted(Interrupt& interrupt, Work&& work) {
  const Task<void> working = spawn([&work] { work(); });
  const Task<void> watching = spawn([&interrupt, &working] {
    static_cast<void>(interrupt.next());
    working.kill();
  });
  working.join();
  watching.kill();
  watching.join();
  static_cast<void>(watching.exception());
  working.get();
}

}  // namespace hawser::cli
