// The terminal that a program itself was started on: its size, and raw mode for as long as a scope lasts.
//
//   const RawTerminal raw(STDIN_FILENO);   // each key arrives at once, unechoed; as before when it goes
//
// Nothing here waits, except that RawTerminal lets output go out first. Throws SystemError, with ENOTTY where there is
// no terminal. See termios(3), ioctl_tty(2); for the other side of a terminal see pty.h.
#pragma once

#include <termios.h>

#include <cstdint>
#include <optional>

namespace hawser {

// In characters; the size in pixels is 0 when nobody knows it.
struct WindowSize {
  std::uint16_t rows = 24;
  std::uint16_t columns = 80;
  std::uint16_t pixels_wide = 0;
  std::uint16_t pixels_high = 0;
  bool operator==(const WindowSize&) const = default;
};

// The size of the window behind a descriptor. Nothing when that is no terminal, or one that does not know its size.
[[nodiscard]] std::optional<WindowSize> window_size(int fd) noexcept;

// Passes every byte through as it is, both ways: no echo, no lines, no signals for Ctrl-C. Keeps the descriptor's
// number, which must stay open meanwhile. Ends as it began whatever else was set in between, also in the background;
// not when a signal kills the process.
class RawTerminal {
 public:
  explicit RawTerminal(int fd);
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;
  ~RawTerminal();

  // How the terminal was.
  [[nodiscard]] const termios& before() const noexcept { return before_; }

 private:
  int fd_;
  termios before_{};
};

}  // namespace hawser
