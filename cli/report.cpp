#include "cli/report.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <poll.h>
#include <unistd.h>

#include <fmt/format.h>

#include <hawser/base/errors.h>

#include "cli/progress.h"
#include "cli/terminal.h"

namespace hawser::cli {
namespace {

// Returns the errno, 0 when all was written.
int write_fully(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {  // somebody else made our terminal non-blocking
      pollfd ready{fd, POLLOUT, 0};
      ::poll(&ready, 1, -1);
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

// Codes of our own say nothing that the message does not say.
bool is_hub_code(std::string_view code) {
  static constexpr std::array kOurs{"local", "usage", "unreachable", "untrusted", "interrupted", "timeout"};
  return std::ranges::none_of(kOurs, [code](std::string_view ours) { return ours == code; });
}

}  // namespace

void Report::line(std::string_view text) {
  // A line end at the beginning is ours: an empty line before a heading.
  if (text.starts_with('\n')) {
    pending_ += '\n';
    text.remove_prefix(1);
  }
  painted_line(shown(text, STDOUT_FILENO));
}

void Report::painted_line(std::string_view text) {
  pending_ += text;
  pending_ += '\n';
  constexpr std::size_t kEnough = 32 * 1024;
  if (pending_.size() > kEnough) flush();
}

void Report::json(const Json& value) {
  value.append_to(pending_);
  pending_ += '\n';
}

void Report::flush() {
  const std::string text = std::move(pending_);
  pending_.clear();
  const int error = write_fully(STDOUT_FILENO, text);
  if (error == EPIPE) throw Failure(Exit::failed, "local", "");
  if (error != 0) throw SystemError(error, "write", "standard output");
}

void Report::words(std::string_view text) {
  if (progress_ != nullptr) progress_->wipe();
  write_fully(STDERR_FILENO, std::string(text) + "\n");
}

void Report::say(std::string_view text) {
  if (!globals_.quiet) words(shown(text, STDERR_FILENO));
}

void Report::detail(std::string_view text) {
  if (globals_.verbose) words(shown(text, STDERR_FILENO));
}

void Report::warn(std::string_view text) {
  words(fmt::format("hawser: {} {}", paint(Colour::yellow, "warning:", use_colour(STDERR_FILENO)),
                    shown(text, STDERR_FILENO)));
}

void Report::fail(std::string_view object, const Failure& failure) {
  std::string_view message = failure.what();
  if (message.empty()) return;
  std::string text = "hawser";
  if (!command_.empty()) text += fmt::format(": {}", command_);
  if (!object.empty()) text += fmt::format("{}{}", command_.empty() ? ": " : " ", object);
  if (is_hub_code(failure.code())) text += fmt::format(": {}", failure.code());
  // Messages may be made of several lines of ours; only what is in a line can come from elsewhere.
  text += ": ";
  std::string safe = shown(text, STDERR_FILENO);
  for (bool first = true; !message.empty() || first; first = false) {
    const auto end = message.find('\n');
    if (!first) safe += '\n';
    safe += shown(message.substr(0, end), STDERR_FILENO);
    message.remove_prefix(end == std::string_view::npos ? message.size() : end + 1);
  }
  words(safe);
}

Json error_json(const Failure& failure) {
  return {{"ok", false}, {"error", {{"code", failure.code()}, {"message", failure.what()}}}};
}

}  // namespace hawser::cli
