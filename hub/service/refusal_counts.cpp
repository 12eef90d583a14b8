#include "hub/service/refusal_counts.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "hub/service/source_address.h"

namespace hawser::hub {
namespace {

constexpr const char* kManyAddresses = "(many addresses)";

std::string shown_moment(std::int64_t at) {
  const std::chrono::sys_seconds moment{std::chrono::seconds(at)};
  const auto day = std::chrono::floor<std::chrono::days>(moment);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(moment - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), time.hours().count(),
                     time.minutes().count(), time.seconds().count());
}

void keep_if_same(std::string& kept, std::string_view other, std::string_view otherwise) {
  if (kept != other) kept = otherwise;
}

}  // namespace

AuditLine RefusalCounts::Kind::line() const {
  AuditLine line = told;
  line.result =
      fmt::format("{} ({} more, from {} to {})", told.result, count, shown_moment(first), shown_moment(told.at));
  return line;
}

std::vector<AuditLine> RefusalCounts::add(AuditLine refusal, ErrorCode code) {
  std::vector<AuditLine> lines;
  Key key{address_of(refusal.source), refusal.action, code};
  const std::lock_guard hold(mutex_);
  auto found = kinds_.find(key);
  if (found == kinds_.end() && kinds_.size() >= kMostKinds) {
    std::get<0>(key) = kManyAddresses;
    found = kinds_.find(key);
  }
  const bool is_over = found != kinds_.end() && found->second.is_over(refusal.at);
  if (is_over && found->second.count > 0) lines.push_back(found->second.line());
  if (found == kinds_.end() || is_over) {
    kinds_.insert_or_assign(std::move(key), Kind{.began = refusal.at});
    lines.push_back(std::move(refusal));
    return lines;
  }
  Kind& kind = found->second;
  if (kind.count++ == 0) {
    kind.first = refusal.at;
    kind.told = std::move(refusal);
    return lines;
  }
  kind.told.at = refusal.at;
  keep_if_same(kind.told.user, refusal.user, "(several)");
  keep_if_same(kind.told.source, refusal.source, std::get<0>(key));
  keep_if_same(kind.told.object, refusal.object, "");
  return lines;
}

std::vector<AuditLine> RefusalCounts::take_over(std::int64_t now) { return take(now); }
std::vector<AuditLine> RefusalCounts::take_all() { return take(std::nullopt); }

std::vector<AuditLine> RefusalCounts::take(std::optional<std::int64_t> now) {
  std::vector<AuditLine> lines;
  const std::lock_guard hold(mutex_);
  for (auto at = kinds_.begin(); at != kinds_.end();) {
    if (now && !at->second.is_over(*now)) {
      ++at;
      continue;
    }
    if (at->second.count > 0) lines.push_back(at->second.line());
    at = kinds_.erase(at);
  }
  return lines;
}

}  // namespace hawser::hub
