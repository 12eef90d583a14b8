// strftime: a moment (`ts`) in a time zone (`tz`) or in UTC (strftime_gm), a format, the text.
#include <fmt/format.h>

#include <cstdlib>
#include <ctime>
#include <string>

#include <hawser/wire/time_text.h>

#include "cases.h"

namespace hawser::vectors {

namespace {

// The vectors are judged one after another on one thread, so the process's zone may change.
void set_zone(const std::string& zone) {
  ::setenv("TZ", zone.c_str(), 1);
  ::tzset();
}

Outcome judge_one(const Json& one, Tally& /*tally*/) {
  const std::string& function = one["fn"].as_string();
  const auto moment = static_cast<std::time_t>(one["ts"].as_int64());
  set_zone(one.get_string("tz", "UTC0"));
  std::tm time{};
  if (function == "strftime") {
    time = local_time(moment);
  } else if (function == "strftime_gm") {
    time = utc_time(moment);
  } else {
    return "an unknown function: " + function;
  }
  const std::string found = format_time(one["fmt"].as_string(), time);
  const std::string& expected = one["result"]["ok"].as_string();
  return found == expected ? kPassed : fmt::format("gave {}, expected {}", found, expected);
}

}  // namespace

Tally judge_strftime(const Json& file) { return judge_all(file, judge_one); }

}  // namespace hawser::vectors
