#include <hawser/process/command.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

namespace hawser {
namespace {

bool needs_quotes(std::string_view word) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
  return word.empty() || word.find_first_not_of(kPlain) != std::string_view::npos;
}

void append_quoted(std::string& text, std::string_view word) {
  text += '\'';
  for (const char c : word) {
    if (c == '\'') {
      text += "'\\''";
    } else {
      text += c;
    }
  }
  text += '\'';
}

}  // namespace

std::string Command::text() const {
  std::string text;
  for (const std::string& word : argv) {
    if (!text.empty()) text += ' ';
    if (needs_quotes(word)) {
      append_quoted(text, word);
    } else {
      text += word;
    }
  }
  return text;
}

Pipe::Pipe(std::string path, int open_flags) : open_flags_(open_flags | O_CLOEXEC), path_(std::move(path)) {
  if (path_.empty()) throw std::invalid_argument("empty path for a stream of a command");
  if (path_.find('\0') != std::string::npos) throw std::invalid_argument("NUL character in a path for a stream");
}

// What was closed has the number -1, and the child must not write to our own stream instead.
Pipe Pipe::to(int fd) {
  if (fd < 0) throw std::invalid_argument("a stream of a command: not a descriptor: " + std::to_string(fd));
  return Pipe(fd);
}

// O_NOCTTY: a terminal that is named must not become ours by the way.
Pipe Pipe::from_file(std::string path) { return {std::move(path), O_RDONLY | O_NOCTTY}; }
Pipe Pipe::to_file(std::string path) { return {std::move(path), O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY}; }
Pipe Pipe::append_to_file(std::string path) { return {std::move(path), O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY}; }

Environment current_environment() {
  Environment environment;
  for (char** entry = ::environ; entry && *entry; ++entry) {
    const std::string_view text(*entry);
    const auto equals = text.find('=');
    if (equals != std::string_view::npos && equals > 0) {
      environment.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
  }
  return environment;
}

}  // namespace hawser
