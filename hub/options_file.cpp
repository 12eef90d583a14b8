#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <limits>
#include <string>

#include <fmt/format.h>
#include <toml++/toml.h>

#include <hawser/base/errors.h>
#include <hawser/base/fd.h>

#include "hub/options.h"

namespace hawser::hub {

namespace {

constexpr std::size_t kLargestFile = 1024 * 1024;

std::string read_file(const std::filesystem::path& file) {
  const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) throw_errno("open", file.native());
  std::string text;
  std::array<char, 4096> piece;
  for (;;) {
    const ssize_t got = ::read(fd.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_errno("read", file.native());
    if (got == 0) return text;
    text.append(piece.data(), static_cast<std::size_t>(got));
    if (text.size() > kLargestFile) throw OptionsError(fmt::format("{}: too large for a configuration", file.native()));
  }
}

// One key of the [hub] table, with its place for messages.
class Setting {
 public:
  Setting(const std::filesystem::path& file, std::string_view key, const toml::node& node)
      : file_(file), key_(key), node_(node) {}

  [[noreturn]] void wrong(std::string_view what) const {
    throw OptionsError(fmt::format("{}:{}: {}: {}", file_.native(), node_.source().begin.line, key_, what));
  }
  [[nodiscard]] bool flag() const {
    if (const auto value = node_.value_exact<bool>()) return *value;
    wrong("must be true or false");
  }
  [[nodiscard]] std::string text() const {
    if (auto value = node_.value_exact<std::string>()) return *value;
    wrong("must be a text");
  }
  [[nodiscard]] std::int64_t count(std::int64_t least) const {
    constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
    const auto value = node_.value_exact<std::int64_t>();
    if (!value || *value < least || *value > kMost) wrong(fmt::format("must be a number from {} on", least));
    return *value;
  }
  template <class Parse>
  [[nodiscard]] auto word(Parse parse) const {
    try {
      return parse(text());
    } catch (const OptionsError& error) {
      wrong(error.what());
    }
  }

 private:
  const std::filesystem::path& file_;
  std::string_view key_;
  const toml::node& node_;
};

void take(OptionsPatch& patch, std::string_view key, const Setting& setting) {
  if (key == "listen") {
    patch.listen = setting.text();
  } else if (key == "root") {
    patch.root = setting.text();
  } else if (key == "plain") {
    patch.plain = setting.flag();
  } else if (key == "plain-anywhere") {
    patch.plain_anywhere = setting.flag();
  } else if (key == "open-registration") {
    patch.open_registration = setting.flag();
  } else if (key == "allow-run") {
    patch.allow_run = setting.word(parse_allow_run);
  } else if (key == "max-connections") {
    patch.max_connections = static_cast<std::size_t>(setting.count(1));
  } else if (key == "log-level") {
    patch.log_level = setting.word(parse_log_level);
  } else if (key == "drain-seconds") {
    patch.drain = std::chrono::seconds(setting.count(0));
  } else {
    setting.wrong("a hub has no such option");
  }
}

}  // namespace

OptionsPatch read_options_file(const std::filesystem::path& file) {
  OptionsPatch patch;
  toml::table table;
  try {
    table = toml::parse(read_file(file), file.native());
  } catch (const toml::parse_error& error) {
    throw OptionsError(fmt::format("{}:{}: {}", file.native(), error.source().begin.line, error.description()));
  }
  for (const auto& [section, content] : table) {
    if (section.str() != "hub" || !content.is_table()) {
      Setting(file, section.str(), content).wrong("only a table [hub] is known");
    }
    for (const auto& [key, node] : *content.as_table()) take(patch, key.str(), Setting(file, key.str(), node));
  }
  return patch;
}

}  // namespace hawser::hub
