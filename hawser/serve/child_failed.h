// ChildFailed: a forked server's child ended otherwise than by the end of its request: a crash, a kill, an exit() of
// the handler's. Goes to handle_error in the parent; what a handler throws goes to handle_error in the child.
#pragma once

#include <sys/types.h>

#include <stdexcept>

namespace hawser {

class ChildFailed : public std::runtime_error {
 public:
  // return_code: the exit status, or -N for signal N.
  ChildFailed(pid_t pid, int return_code);
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  [[nodiscard]] int return_code() const noexcept { return return_code_; }

 private:
  pid_t pid_;
  int return_code_;
};

}  // namespace hawser
