// ChildStart: everything a child needs to become another program, made ready by the parent beforehand.
//
// Between clone(2) and execve(2) the child borrows the parent's memory while the calling thread stands still, and other
// threads may hold any lock; so the child only makes system calls on what lies ready here. See vfork(2).
#pragma once

#include <sys/types.h>
#include <string>
#include <vector>

#include <hawser/base/fd.h>
#include <hawser/process/command.h>

namespace hawser::detail {

// Where the child stopped, when it did.
enum class ChildStep : int { none, streams, directory, group, terminal, descriptors, exec };

class ChildStart {
 public:
  // Throws std::invalid_argument for an empty command, a NUL in any text and a bad variable name.
  ChildStart(const Command& command, const PopenOptions& options);

  // The child's descriptor for standard input, output or error (0, 1, 2); -1 inherits.
  void set_stream(int which, int fd);
  // A descriptor of what becomes the controlling terminal; the child must be in a session of its own.
  void set_terminal(int fd) { terminal_ = fd; }

  struct Child {
    pid_t pid = -1;
    UniqueFd pidfd;
  };
  // Returns when the program runs. Blocks the calling thread until then. Throws SystemError naming what was at fault.
  Child run();

 private:
  // Our descriptor `from` is the child's `to`.
  struct Placement {
    int from;
    int to;
    bool operator==(const Placement&) const = default;
  };
  void place(int from, int to);
  void make_candidates(const Environment* environment);
  [[noreturn]] void fail(ChildStep step, int error) const;
  static int enter(void* self) noexcept;
  void become() noexcept;
  bool place_descriptors() noexcept;
  bool close_others() noexcept;
  void exec() noexcept;

  std::string program_;
  std::vector<std::string> arguments_;
  std::vector<std::string> variables_;
  std::vector<std::string> candidates_;  // the paths to try, in PATH's order
  std::vector<char*> argv_;
  std::vector<char*> envp_;
  std::string cwd_;
  int cwd_fd_;
  ProcessGroup group_;
  std::vector<Placement> placements_;  // in the order of the child's numbers
  int terminal_ = -1;
  volatile ChildStep failed_ = ChildStep::none;  // written by the child
  volatile int error_ = 0;
  volatile int failed_fd_ = -1;
};

}  // namespace hawser::detail
