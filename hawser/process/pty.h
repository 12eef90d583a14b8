// Pty: a pseudo-terminal, the side where the person sits. What is written is typed; what is read is shown.
//
//   Pty screen({.rows = 24, .columns = 80});
//   Popen shell({"sh"}, {.terminal = &screen});   // its controlling terminal, in a session of its own
//   screen.write_all("tty; exit\n");
//   while (const std::size_t got = screen.read_some(chunk)) show(chunk, got);
//
// A Stream, on fibers and on plain threads: one may read while another writes, close() wakes both with SocketClosed.
// read_some() waits for the first program; once every program has let go of the terminal (what the kernel calls EIO)
// and all that they wrote is read, it gives 0, the end, until another one is started on it. What is typed while there
// is no program waits for the next one. A program that does not read makes writers wait; of a line that is longer than
// 4095 characters the kernel keeps no more than that, unless the program has made its terminal raw.
//
// The terminal starts as the kernel makes it: it echoes, hands over line by line, writes "\r\n" for "\n", and turns
// Ctrl-C (3), Ctrl-\ (28), Ctrl-Z (26) into signals for the foreground group, Ctrl-D (4) at the start of a line into an
// end of file. UTF-8 is known to it, so that erasing takes a whole character away. See pty(7), termios(3).
#pragma once

#include <csignal>
#include <cstddef>
#include <span>
#include <string>

#include <hawser/base/fd.h>
#include <hawser/fiber/pollable.h>
#include <hawser/net/stream.h>
#include <hawser/process/terminal.h>

namespace hawser {

class Pty : public Stream {
 public:
  // Throws SystemError: ENOENT where no devpts is mounted, ENOSPC when there are no more terminals, EMFILE.
  explicit Pty(WindowSize size = {});

  [[nodiscard]] std::size_t read_some(std::span<std::byte> into) override;
  std::size_t write_some(BytesView data) override;
  using Stream::write_all;
  // The same as end_of_input().
  void shutdown_write() override { end_of_input(); }
  // Programs on the terminal find it hung up: SIGHUP to the session's leader and the foreground group, then the end.
  void close() noexcept override { master_.close(); }
  // "/dev/pts/3".
  [[nodiscard]] std::string peer() const override { return path_; }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

  // SIGINT, SIGQUIT or SIGTSTP (nothing else: EINVAL) for the programs in the foreground, as the key for it sends, but
  // also past a writer who waits, and to a program that has made its terminal raw. Nobody there: no error.
  void signal_foreground(int signal);
  void interrupt() { signal_foreground(SIGINT); }
  // Types the end-of-file character, twice when a line has been begun, since the first only hands that over.
  void end_of_input();

  // Programs in the foreground get SIGWINCH when the size changes.
  [[nodiscard]] WindowSize size();
  void set_size(WindowSize size);
  // Whether what is typed is shown: off for a program that is to be talked to by another.
  void set_echo(bool on);

  // The other side, as a program gets it: close-on-exec, not anybody's controlling terminal. While it is held there is
  // no end of the stream.
  [[nodiscard]] UniqueFd open_terminal();

  [[nodiscard]] int fd() const noexcept { return master_.fd(); }
  [[nodiscard]] bool closed() const noexcept { return master_.closed(); }

 private:
  class Pin;

  Pollable master_;
  std::string path_;
  bool line_begun_ = false;  // the last byte written was in the middle of a line; the writer's
};

}  // namespace hawser
