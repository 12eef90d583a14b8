#include <hawser/process/pty.h>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string_view>

#include <hawser/base/errors.h>
#include <hawser/base/system_calls.h>

namespace hawser {
namespace {

UniqueFd open_master() {
  UniqueFd master(detail::sys::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!master) throw_errno("open", "/dev/ptmx");
  // devpts has made the other side with the right owner and mode; only the lock is left.
  if (::unlockpt(master.get()) != 0) throw_errno("unlock", "pseudo-terminal");
  return master;
}

std::string name_of(int master) {
  char name[64];
  const int error = ::ptsname_r(master, name, sizeof name);
  if (error != 0) throw SystemError(error, "name", "pseudo-terminal");
  return name;
}

winsize kernel_size(WindowSize size) {
  return {.ws_row = size.rows, .ws_col = size.columns, .ws_xpixel = size.pixels_wide, .ws_ypixel = size.pixels_high};
}

}  // namespace

// Holds the descriptor open for a call that does not wait.
class Pty::Pin {
 public:
  Pin(Pty& pty, const char* operation) : pty_(pty), fd_(pty.master_.pin(operation, pty.path_)) {}
  Pin(const Pin&) = delete;
  Pin& operator=(const Pin&) = delete;
  ~Pin() { pty_.master_.unpin(); }
  operator int() const noexcept { return fd_; }  // NOLINT(google-explicit-constructor)

 private:
  Pty& pty_;
  int fd_;
};

Pty::Pty(WindowSize size) : master_(open_master()), path_(name_of(master_.fd())) {
  set_size(size);
  const Pin fd(*this, "set up");
  termios settings{};
  if (::tcgetattr(fd, &settings) != 0) throw_errno("get the settings of", path_);
  settings.c_iflag |= IUTF8;
  if (::tcsetattr(fd, TCSANOW, &settings) != 0) throw_errno("set up", path_);
}

std::size_t Pty::read_some(std::span<std::byte> into) {
  if (into.empty()) return 0;
  Pollable::Use use(master_, Direction::read, "read", path_);
  for (;;) {
    if (use.maybe_ready()) {
      const ssize_t got = detail::sys::read(use.fd(), into.data(), into.size());
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno == EIO) return 0;
      if (errno == EINTR) continue;
      if (errno != EAGAIN) throw_errno("read", path_);
      use.drained();
    }
    throw_unless_ready(use.wait(Expiry::never()), "read " + path_);
  }
}

std::size_t Pty::write_some(BytesView data) {
  if (data.empty()) return 0;
  Pollable::Use use(master_, Direction::write, "write", path_);
  for (;;) {
    if (use.maybe_ready()) {
      const ssize_t put = detail::sys::write(use.fd(), data.data(), data.size());
      if (put > 0) {
        const auto taken = static_cast<std::size_t>(put);
        // Ctrl-C, D, Z and \ leave no line behind.
        line_begun_ = std::string_view("\n\r\x03\x04\x1a\x1c").find(data.text()[taken - 1]) == std::string_view::npos;
        return taken;
      }
      if (put < 0 && errno == EINTR) continue;
      if (put < 0 && errno != EAGAIN) throw_errno("write", path_);
      use.drained();
    }
    throw_unless_ready(use.wait(Expiry::never()), "write " + path_);
  }
}

void Pty::signal_foreground(int signal) {
  const Pin fd(*this, "signal");
  if (::ioctl(fd, TIOCSIG, static_cast<long>(signal)) != 0) throw_errno("signal the foreground of", path_);
}

void Pty::end_of_input() {
  termios settings{};
  {
    const Pin fd(*this, "get the settings of");
    if (::tcgetattr(fd, &settings) != 0) throw_errno("get the settings of", path_);
  }
  const std::string key(line_begun_ ? 2 : 1, static_cast<char>(settings.c_cc[VEOF]));
  write_all(key);
  line_begun_ = false;
}

WindowSize Pty::size() {
  const Pin fd(*this, "get the size of");
  return window_size(fd).value_or(WindowSize{.rows = 0, .columns = 0});
}

void Pty::set_size(WindowSize size) {
  const Pin fd(*this, "set the size of");
  const winsize wanted = kernel_size(size);
  if (::ioctl(fd, TIOCSWINSZ, &wanted) != 0) throw_errno("set the size of", path_);
}

void Pty::set_echo(bool on) {
  const Pin fd(*this, "set the echo of");
  termios settings{};
  if (::tcgetattr(fd, &settings) != 0) throw_errno("get the settings of", path_);
  if (on) {
    settings.c_lflag |= ECHO;
  } else {
    settings.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  }
  if (::tcsetattr(fd, TCSANOW, &settings) != 0) throw_errno("set the echo of", path_);
}

UniqueFd Pty::open_terminal() {
  const Pin fd(*this, "open the other side of");
  // Not by its path, which may lead elsewhere in another mount namespace.
  UniqueFd terminal(::ioctl(fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!terminal) throw_errno("open", path_);
  return terminal;
}

}  // namespace hawser
