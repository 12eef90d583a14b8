// The errors that the whole library throws.
//
// Where the kernel spoke: SystemError, with operation, object and code in its message
// (`connect 127.0.0.1:81: Connection refused`). The three ways a wait ends early are three types that share no base but
// std::runtime_error: TimedOut (the call's own timeout), DeadlineExceeded (a Deadline scope around the call),
// Cancelled.
//
// Where a call that moves many bytes was cut short, the error says how many had been moved, in its message ("... after
// 4096 bytes") and in transferred(); 0 where there were none or the call is of another kind.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

namespace hawser {

class SystemError : public std::system_error {
 public:
  SystemError(int error_number, std::string_view operation, std::string_view object);
  // The bare message, `operation object: reason`, without the suffix that std::system_error would add.
  [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }
  [[nodiscard]] int error_number() const noexcept { return code().value(); }
  [[nodiscard]] const std::string& operation() const noexcept { return operation_; }
  [[nodiscard]] const std::string& object() const noexcept { return object_; }

 protected:
  // Adds to the message that so many bytes had been moved, if any.
  void note_transferred(std::uint64_t transferred);

 private:
  std::string operation_;
  std::string object_;
  std::string message_;
};

// Throws SystemError with the current errno.
[[noreturn]] void throw_errno(std::string_view operation, std::string_view object);

// The timeout of a call ran out: a Queue's get(1s), a Lock's acquire, a Task's join.
class TimedOut : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The timeout of a socket operation ran out.
class SocketTimeout : public TimedOut {
 public:
  explicit SocketTimeout(const std::string& what, std::size_t transferred = 0);
  [[nodiscard]] std::size_t transferred() const noexcept { return transferred_; }

 private:
  std::size_t transferred_;
};

// A Deadline scope around the call ran out; the message names the scope.
class DeadlineExceeded : public std::runtime_error {
 public:
  // scope: the number of the Deadline that ran out; Deadline::caused() compares it.
  explicit DeadlineExceeded(const std::string& what, std::uint64_t scope = 0, std::uint64_t transferred = 0);
  [[nodiscard]] std::uint64_t scope() const noexcept { return scope_; }
  [[nodiscard]] std::uint64_t transferred() const noexcept { return transferred_; }

 private:
  std::uint64_t scope_;
  std::uint64_t transferred_;
};

// Somebody asked this fiber to stop. Let it pass: catching it and going on makes the fiber hard to stop.
class Cancelled : public std::runtime_error {
 public:
  explicit Cancelled(const std::string& what, std::uint64_t transferred = 0);
  [[nodiscard]] std::uint64_t transferred() const noexcept { return transferred_; }

 private:
  std::uint64_t transferred_;
};

// The wait would have closed a circle of contexts that wait for each other; see <hawser/sync/deadlock.h>. Nothing was
// acquired.
class DeadlockDetected : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

// The object was closed, before the call or while the call waited. Code EBADF.
class SocketClosed : public SystemError {
 public:
  SocketClosed(std::string_view operation, std::string_view object, std::uint64_t transferred = 0);
  [[nodiscard]] std::uint64_t transferred() const noexcept { return transferred_; }

 private:
  std::uint64_t transferred_;
};

}  // namespace hawser
