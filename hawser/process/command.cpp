#include <hawser/process/command.h>

#include <unistd.h>

#include <algorithm>

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
