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

Audit::~Audit() { write_all_counts(); }

void Audit::record(std::string_view user, std::string_view source, std::string_view action, std::string_view object,
                   std::string_view result) noexcept {
  write(user, source, action, object, result, true);
}

void Audit::record_change(std::string_view user, std::string_view source, std::string_view action,
                          std::string_view object, std::string_view result) noexcept {
  write(user, source, action, object, result, false);
}

void Audit::record_refusal(std::string_view user, std::string_view source, std::string_view action,
                           std::string_view object, ErrorCode code, std::string_view result) noexcept {
  try {
    write_counted(refusals_.add(line_of(user, source, action, object, result), code));
  } catch (const std::exception& error) {
    log_line(LogLevel::error, fmt::format("audit line lost: {} {} {}: {}", user, action, result, error.what()));
  }
}

void Audit::write_counts() noexcept {
  try {
    write_counted(refusals_.take_over(now_()));
  } catch (const std::exception& error) {
    log_line(LogLevel::error, fmt::format("counts of refusals lost: {}", error.what()));
  }
}

void Audit::write_all_counts() noexcept {
  try {
    write_counted(refusals_.take_all());
  } catch (const std::exception& error) {
    log_line(LogLevel::error, fmt::format("counts of refusals lost: {}", error.what()));
  }
}

void Audit::write_counted(std::vector<AuditLine> lines) {
  for (std::size_t n = 0; n < lines.size(); ++n) store_.append_audit(std::move(lines[n]), n + 1 == lines.size());
}

AuditLine Audit::line_of(std::string_view user, std::string_view source, std::string_view action,
                         std::string_view object, std::string_view result) const {
  return {.at = now_(),
          .user = field(user),
          .source = field(source),
          .action = field(action),
          .object = field(object),
          .result = field(result)};
}

void Audit::write(std::string_view user, std::string_view source, std::string_view action, std::string_view object,
                  std::string_view result, bool now) noexcept {
  try {
    store_.append_audit(line_of(user, source, action, object, result), now);
  } catch (const std::exception& error) {
    log_line(LogLevel::error, fmt::format("audit line lost: {} {} {}: {}", user, action, result, error.what()));
  }
}

}  // namespace hawser::hub
