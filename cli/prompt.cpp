#include "cli/prompt.h"

#include <array>
#include <utility>

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <hawser/base/bytes.h>

#include "cli/failure.h"
#include "cli/interrupt.h"
#include "cli/local_streams.h"
#include "cli/terminal.h"

namespace hawser::cli {
namespace {

// Echo is off while this lives.
class WithoutEcho {
 public:
  explicit WithoutEcho(int terminal) : terminal_(terminal) {
    if (::tcgetattr(terminal, &before_) != 0) return;
    active_ = true;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL);
    Interrupt::hold_terminal(terminal, before_);
    ::tcsetattr(terminal, TCSAFLUSH, &silent);
  }
  WithoutEcho(const WithoutEcho&) = delete;
  WithoutEcho& operator=(const WithoutEcho&) = delete;
  ~WithoutEcho() {
    if (!active_) return;
    ::tcsetattr(terminal_, TCSANOW, &before_);
    Interrupt::release_terminal();
    // The line end that was typed was not shown either.
    static_cast<void>(!::write(terminal_, "\n", 1));
  }

 private:
  int terminal_;
  bool active_ = false;
  termios before_{};
};

void show(int terminal, std::string_view question) {
  static_cast<void>(!::write(terminal, question.data(), question.size()));
}

}  // namespace

Prompt::Prompt() {
  if (is_terminal(STDIN_FILENO)) {
    terminal_ = ::open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    own_terminal_ = terminal_ >= 0;
    if (!own_terminal_) terminal_ = STDERR_FILENO;
  }
  input_ = std::make_unique<LocalInput>(own_terminal_ ? terminal_ : STDIN_FILENO,
                                        terminal_ >= 0 ? "terminal" : "standard input");
}

Prompt::~Prompt() {
  if (own_terminal_) ::close(terminal_);
}

std::string Prompt::line(std::string_view question) {
  if (asks_person()) show(terminal_, question);
  return read_line();
}

std::string Prompt::secret(std::string_view question) {
  if (!asks_person()) return read_line();
  // First: who types as soon as the question is there must not be seen.
  const WithoutEcho silent(own_terminal_ ? terminal_ : STDIN_FILENO);
  show(terminal_, question);
  return read_line();
}

std::string Prompt::read_line() {
  for (;;) {
    if (const auto end = buffered_.find('\n'); end != std::string::npos) {
      std::string line = buffered_.substr(0, end);
      buffered_.erase(0, end + 1);
      if (line.ends_with('\r')) line.pop_back();
      return line;
    }
    if (buffered_.size() > kLongest) throw usage_error("that line is too long");
    std::array<std::byte, 512> more{};
    const std::size_t got = input_->read_some(more);
    if (got == 0) {
      if (buffered_.empty()) throw usage_error("an answer was wanted, but the input has ended");
      return std::exchange(buffered_, {});
    }
    buffered_ += BytesView(std::span<const std::byte>(more).first(got)).text();
  }
}

}  // namespace hawser::cli
