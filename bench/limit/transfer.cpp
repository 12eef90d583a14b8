// The limit of a file transfer over loopback TCP: one process calls sendfile(2), the other splice(2) into the new file.
// Nothing is verified and nothing is synced.
//
//   limit_transfer SOURCE COPY      prints GB/s
#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../arguments.h"
#include "../stopwatch.h"

namespace {

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

void pin(int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  ::sched_setaffinity(0, sizeof set, &set);
}

void send_file(int fd, const char* path) {
  const int file = ::open(path, O_RDONLY | O_CLOEXEC);
  struct stat status {};
  if (file < 0 || ::fstat(file, &status) != 0) die(path);
  for (off_t at = 0; at < status.st_size;)
    if (::sendfile(fd, file, &at, static_cast<std::size_t>(status.st_size - at)) <= 0) die("sendfile");
}

std::size_t receive_file(int fd, const char* path) {
  const int file = ::open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  int ends[2];
  if (file < 0 || ::pipe2(ends, O_CLOEXEC) != 0) die(path);
  constexpr int kPipe = 1 << 20;
  ::fcntl(ends[1], F_SETPIPE_SZ, kPipe);
  std::size_t total = 0;
  for (ssize_t in; (in = ::splice(fd, nullptr, ends[1], nullptr, kPipe, SPLICE_F_MOVE)) > 0;) {
    total += static_cast<std::size_t>(in);
    while (in > 0) {
      const ssize_t out = ::splice(ends[0], nullptr, file, nullptr, static_cast<std::size_t>(in), SPLICE_F_MOVE);
      if (out <= 0) die("splice");
      in -= out;
    }
  }
  ::close(file);
  return total;
}

}  // namespace

int main(int argc, char** argv) {
  const Arguments arguments(argc, argv, "limit_transfer SOURCE COPY", {});
  const std::string source = arguments.word(0), copy = arguments.word(1);
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener, generic, size) != 0 || ::listen(listener, 1) != 0 ||
      ::getsockname(listener, generic, &size) != 0)
    die("listen");
  const Stopwatch watch;
  const pid_t sender = ::fork();
  if (sender == 0) {
    pin(0);
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(fd, generic, size) != 0) die("connect");
    send_file(fd, source.c_str());
    ::_exit(0);
  }
  pin(1);
  const std::size_t total = receive_file(::accept(listener, nullptr, nullptr), copy.c_str());
  const double seconds = watch.seconds();
  int status = 0;
  ::waitpid(sender, &status, 0);
  if (status != 0) return 1;
  std::printf("%.3f\n", static_cast<double>(total) / 1e9 / seconds);
}
