#include "hub/service/audit.h"

#include <fmt/format.h>

#include <ctime>
#include <utility>

#include <hawser/base/log.h>

namespace hawser::hub {
namespace {

constexpr std::size_t kLongestField = 4096;

std::string field(std::string_view text) { return std::string(text.substr(0, kLongestField)); }

}  // namespace

Audit::Audit(Store& store, std::function<std::int64_t()> now) : store_(store), now_(std::move(now)) {
  if (!now_) now_ = [] { return static_cast<std::int64_t>(std::time(nullptr)); };
}

void Audit::record(std::string_view user, std::string_view source, std::string_view action, std::string_view object,
                   std::string_view result) noexcept {
  write(user, source, action, object, result, true);
}

void Audit::record_change(std::string_view user, std::string_view source, std::string_view action,
                          std::string_view object, std::string_view result) noexcept {
  write(user, source, action, object, result, false);
}

void Audit::write(std::string_view user, std::string_view source, std::string_view action, std::string_view object,
                  std::string_view result, bool now) noexcept {
  try {
    store_.append_audit({.at = now_(),
                         .user = field(user),
                         .source = field(source),
                         .action = field(action),
                         .object = field(object),
                         .result = field(result)},
                        now);
  } catch (const std::exception& error) {
    log_line(LogLevel::error, fmt::format("audit line lost: {} {} {}: {}", user, action, result, error.what()));
  }
}

}  // namespace hawser::hub
