// OwnProcess: this process, as one that hawser has started: its name, how its work is run and how it ends. Internal.
#pragma once

#include <sys/types.h>

#include <exception>
#include <functional>
#include <string>

namespace hawser::detail {

class OwnProcess {
 public:
  // The status it will end with.
  enum class Ending : int { success = 0, failure = 1 };

  // Asks the kernel to kill this process when the thread that started it ends, and ends it here and now when that has
  // happened already.
  static void end_with_parent(pid_t parent) noexcept;

  // In the new process: default actions for signals that the parent handled (its handlers know only the parent), the
  // name, no standard input.
  static void begin(const std::string& name, bool daemon, pid_t parent) noexcept;

  // Runs the work; what it throws is told on standard error.
  static Ending run(const std::function<void()>& work) noexcept;
  static Ending failed(const std::exception_ptr& error) noexcept;

  // Ends its own daemons, waits for its other children, writes what is buffered for standard output and error, and
  // ends. No destructors of static objects, no atexit(3): these are the parent's as well.
  [[noreturn]] static void end(Ending ending) noexcept;

  // Writes what stdio and iostreams hold for standard output and error.
  static void flush() noexcept;
};

}  // namespace hawser::detail
