// Python's own ssl module at the other end of a connection.
#pragma once

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include <hawser/base/errors.h>
#include <hawser/base/fd.h>
#include <hawser/net/socket.h>

namespace hawser::test {

// Runs a Python program that finds `sock`, its end of a connection, and `context(...)` helpers already imported.
class PythonPeer {
 public:
  PythonPeer(const std::string& program, std::vector<std::string> arguments) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) throw_errno("socketpair", "");
    ours_ = UniqueFd(ends[0]);
    const UniqueFd theirs(ends[1]);
    const std::string text = "import socket, ssl, sys\nsock = socket.socket(fileno=3)\n" + program;
    std::vector<char*> argv;
    arguments.insert(arguments.begin(), {"python3", "-c", text});
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ < 0) throw_errno("fork", "");
    if (pid_ == 0) {
      if (theirs.get() == 3)
        ::fcntl(3, F_SETFD, 0);
      else
        ::dup2(theirs.get(), 3);
      ::execvp("python3", argv.data());
      ::_exit(127);
    }
  }
  PythonPeer(const PythonPeer&) = delete;
  ~PythonPeer() {
    if (pid_ > 0) static_cast<void>(exit_code());
  }

  [[nodiscard]] Socket connection() { return Socket(std::move(ours_)); }

  // Waits for the program. It has ended, or will as soon as its connection does.
  int exit_code() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

 private:
  UniqueFd ours_;
  pid_t pid_ = -1;
};

}  // namespace hawser::test
