#include "hub/doors/signal_names.h"

#include <csignal>
#include <cstring>

#include <fmt/format.h>

namespace hawser::hub {

namespace {

constexpr std::string_view kPrefix = "SIG";
constexpr int kLastStandard = 31;

}  // namespace

std::string signal_name(int signal) {
  if (const char* name = ::sigabbrev_np(signal)) return fmt::format("{}{}", kPrefix, name);
  return fmt::format("SIGRTMIN+{}", signal - SIGRTMIN);
}

std::optional<int> signal_number(std::string_view name) noexcept {
  if (!name.starts_with(kPrefix)) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  for (int signal = 1; signal <= kLastStandard; ++signal) {
    const char* abbreviation = ::sigabbrev_np(signal);
    if (abbreviation != nullptr && name == abbreviation) return signal;
  }
  return std::nullopt;
}

}  // namespace hawser::hub
