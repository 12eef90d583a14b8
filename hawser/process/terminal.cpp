#include <hawser/process/terminal.h>

#include <sys/ioctl.h>

#include <cerrno>
#include <csignal>
#include <string>

#include <hawser/base/errors.h>

namespace hawser {
namespace {

// A process in the background that sets a terminal is stopped by SIGTTOU, unless it blocks that.
bool set_terminal(int fd, const termios& settings) noexcept {
  sigset_t stop;
  sigset_t before;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTTOU);
  ::pthread_sigmask(SIG_BLOCK, &stop, &before);
  int result = -1;
  do {
    result = ::tcsetattr(fd, TCSADRAIN, &settings);
  } while (result != 0 && errno == EINTR);
  const int error = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = error;
  return result == 0;
}

}  // namespace

std::optional<WindowSize> window_size(int fd) noexcept {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || (size.ws_row == 0 && size.ws_col == 0)) return std::nullopt;
  return WindowSize{
      .rows = size.ws_row, .columns = size.ws_col, .pixels_wide = size.ws_xpixel, .pixels_high = size.ws_ypixel};
}

RawTerminal::RawTerminal(int fd) : fd_(fd) {
  if (::tcgetattr(fd, &before_) != 0) throw_errno("get the settings of terminal", std::to_string(fd));
  termios raw = before_;
  ::cfmakeraw(&raw);
  if (!set_terminal(fd, raw)) throw_errno("make raw terminal", std::to_string(fd));
}

RawTerminal::~RawTerminal() { set_terminal(fd_, before_); }

}  // namespace hawser
