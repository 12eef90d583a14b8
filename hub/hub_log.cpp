#include "hub/hub_log.h"

#include <memory>
#include <string>

#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace hawser::hub {

namespace {

constexpr std::size_t kLinesKept = 8192;

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::error:
      break;
  }
  return spdlog::level::err;
}

std::string harmless(std::string_view line) {
  std::string text(line);
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  }
  return text;
}

}  // namespace

HubLog::HubLog(LogLevel least) {
  auto threads = std::make_shared<spdlog::details::thread_pool>(kLinesKept, 1);
  auto logger = std::make_shared<spdlog::async_logger>("hub", std::make_shared<spdlog::sinks::stderr_sink_mt>(),
                                                       threads, spdlog::async_overflow_policy::overrun_oldest);
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %l %v", spdlog::pattern_time_type::utc);
  logger->set_level(to_spdlog(least));
  logger->flush_on(spdlog::level::debug);
  // The sink holds the thread as well: it ends, having written all, with the sink.
  set_log_sink([logger, threads](LogLevel level, std::string_view line) {
    logger->log(to_spdlog(level), "{}", harmless(line));
  });
}

HubLog::~HubLog() { set_log_sink({}); }

}  // namespace hawser::hub
