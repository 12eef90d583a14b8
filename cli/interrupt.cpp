#include "cli/interrupt.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <hawser/base/errors.h>

namespace hawser::cli {
namespace {

constexpr std::array kSignals{SIGINT, SIGTERM, SIGHUP};

std::array<struct sigaction, kSignals.size()> before;
std::atomic<int> wake_pipe{-1};
std::atomic<int> first_signal{0};
std::atomic<int> held_terminal{-1};
termios held_settings;

extern "C" void on_signal(int number) {
  const int saved = errno;
  int none = 0;
  if (!first_signal.compare_exchange_strong(none, number)) {
    if (const int terminal = held_terminal.load(); terminal >= 0) ::tcsetattr(terminal, TCSANOW, &held_settings);
    ::_exit(128 + number);
  }
  const char byte = static_cast<char>(number);
  if (const int pipe = wake_pipe.load(); pipe >= 0) static_cast<void>(!::write(pipe, &byte, 1));
  errno = saved;
}

}  // namespace

Interrupt::Interrupt() {
  auto [read_end, write_end] = make_pipe();
  set_nonblocking(write_end.get(), true);
  signals_ = std::make_unique<PipeStream>(std::move(read_end), Direction::read, "signals");
  wake_pipe = write_end.release();
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    ::sigaction(kSignals[i], nullptr, &before[i]);
    if (before[i].sa_handler != SIG_IGN) ::sigaction(kSignals[i], &action, nullptr);
  }
}

Interrupt::~Interrupt() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) ::sigaction(kSignals[i], &before[i], nullptr);
  if (const int pipe = wake_pipe.exchange(-1); pipe >= 0) ::close(pipe);
}

int Interrupt::next() {
  std::array<std::byte, 1> number{};
  if (signals_->read_some(number) == 0) throw SystemError(EPIPE, "read", "signals");
  return std::to_integer<int>(number[0]);
}

int Interrupt::received() noexcept { return first_signal; }

void Interrupt::hold_terminal(int fd, const termios& settings) noexcept {
  held_settings = settings;
  held_terminal = fd;
}

void Interrupt::release_terminal() noexcept { held_terminal = -1; }

}  // namespace hawser::cli
