// Asking the person at the terminal.
//
// Passwords come from the environment, from the terminal without echo, or from standard input when that is no terminal;
// never from an argument. Waits for the person; throws Cancelled on Ctrl-C, with the terminal as it was before, and
// Failure when there is nobody to ask.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace hawser::cli {

class LocalInput;

class Prompt {
 public:
  static constexpr std::size_t kLongest = 4096;

  Prompt();
  Prompt(const Prompt&) = delete;
  Prompt& operator=(const Prompt&) = delete;
  ~Prompt();

  // A line, without its end. question is shown on a terminal only.
  [[nodiscard]] std::string line(std::string_view question);
  // The same without echo.
  [[nodiscard]] std::string secret(std::string_view question);
  // True when a person at a terminal is asked, and not standard input read.
  [[nodiscard]] bool asks_person() const noexcept { return terminal_ >= 0; }

 private:
  [[nodiscard]] std::string read_line();
  int terminal_ = -1;  // to write questions to; -1: standard input is no terminal
  bool own_terminal_ = false;
  std::unique_ptr<LocalInput> input_;
  std::string buffered_;
};

}  // namespace hawser::cli
