#include "cli/home.h"

#include <cstdlib>
#include <utility>

#include <pwd.h>
#include <unistd.h>

#include "cli/failure.h"

namespace hawser::cli {
namespace {

std::filesystem::path from_environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::filesystem::path() : std::filesystem::path(value);
}

std::filesystem::path user_home() {
  if (auto home = from_environment("HOME"); !home.empty()) return home;
  if (const passwd* entry = ::getpwuid(::getuid()); entry != nullptr && entry->pw_dir != nullptr) return entry->pw_dir;
  throw local_failure("no home directory: set HOME or HAWSER_HOME");
}

// The XDG base directory specification: relative values are to be ignored.
std::filesystem::path xdg(const char* name, const char* fallback) {
  const auto value = from_environment(name);
  return (value.is_absolute() ? value : user_home() / fallback) / "hawser";
}

}  // namespace

Home::Home(std::filesystem::path config, std::filesystem::path state, std::filesystem::path hub)
    : config_(std::move(config)), state_(std::move(state)), hub_(std::move(hub)) {}

Home Home::find() {
  if (const auto home = from_environment("HAWSER_HOME"); !home.empty()) {
    const auto absolute = std::filesystem::absolute(home);
    return {absolute, absolute, absolute / "hub"};
  }
  return {xdg("XDG_CONFIG_HOME", ".config"), xdg("XDG_STATE_HOME", ".local/state"),
          xdg("XDG_DATA_HOME", ".local/share") / "hub"};
}

}  // namespace hawser::cli
