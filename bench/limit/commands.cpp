// The limit of running commands: posix_spawn, with a pipe that is read to its end (unless --capture 0), reaped. Prints
// commands per second.
//
//   limit_commands [--at-once 1] [--capture 1] [--ms 1000]
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../arguments.h"
#include "../stopwatch.h"

namespace {

struct Running {
  pid_t pid;
  int out;
};

Running start(bool capture) {
  int ends[2] = {-1, -1};
  if (capture && ::pipe2(ends, O_CLOEXEC) != 0) std::abort();
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  if (capture) ::posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
  char name[] = "/bin/true";
  char* argv[] = {name, nullptr};
  Running running{-1, ends[0]};
  if (::posix_spawn(&running.pid, name, &actions, nullptr, argv, environ) != 0) std::abort();
  ::posix_spawn_file_actions_destroy(&actions);
  if (capture) ::close(ends[1]);
  return running;
}

void finish(const Running& running) {
  char buffer[4096];
  while (running.out >= 0 && ::read(running.out, buffer, sizeof buffer) > 0) {
  }
  if (running.out >= 0) ::close(running.out);
  int status = 0;
  ::waitpid(running.pid, &status, 0);
}

}  // namespace

int main(int argc, char** argv) {
  const Arguments arguments(argc, argv, "limit_commands [--at-once 1] [--capture 1] [--ms 1000]",
                            {"at-once", "capture", "ms"});
  const double length = static_cast<double>(arguments.number("ms", 1000)) / 1000;
  const bool capture = arguments.number("capture", 1) != 0;
  std::vector<Running> running;
  for (long i = 0; i < arguments.number("at-once", 1); ++i) running.push_back(start(capture));
  long done = 0;
  const Stopwatch watch;
  for (std::size_t next = 0; watch.seconds() < length; next = (next + 1) % running.size()) {
    finish(running[next]);
    running[next] = start(capture);
    ++done;
  }
  std::printf("%.0f\n", static_cast<double>(done) / watch.seconds());
  for (const Running& each : running) finish(each);
}
