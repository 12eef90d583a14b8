// What the futures of a ProcessPool fail with, besides what is told in <hawser/task/future.h>.
#pragma once

#include <sys/types.h>

#include <stdexcept>
#include <string>

#include <hawser/task/executor.h>

namespace hawser {

// The task's function has thrown, in its process: what(), with the type before it; the exception itself stays there.
class RemoteError : public std::runtime_error {
 public:
  RemoteError(std::string type_name, std::string message)
      : std::runtime_error(type_name + ": " + message),
        type_name_(std::move(type_name)),
        message_(std::move(message)) {}
  // "std::invalid_argument"
  [[nodiscard]] const std::string& type_name() const noexcept { return type_name_; }
  [[nodiscard]] const std::string& message() const noexcept { return message_; }

 private:
  std::string type_name_;
  std::string message_;
};

// The worker that ran the task has ended: a signal, an abort(), an exit(). What the task had done until then is done.
class ProcessDied : public std::runtime_error {
 public:
  // exit_code: the exit status, or -N for signal N.
  ProcessDied(pid_t pid, int exit_code);
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  [[nodiscard]] int exit_code() const noexcept { return exit_code_; }

 private:
  pid_t pid_;
  int exit_code_;
};

// Workers die one after another and nothing gets done, none can be started, or the initializer has thrown.
class BrokenProcessPool : public BrokenExecutor {
 public:
  using BrokenExecutor::BrokenExecutor;
};

}  // namespace hawser
