// LogLines: catches what the library logs while it lives.
#pragma once

#include <algorithm>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/base/log.h>

namespace hawser::testing {

class LogLines {
 public:
  LogLines() {
    set_log_sink([kept = kept_](LogLevel, std::string_view line) {
      std::lock_guard hold(kept->mutex);
      kept->lines.emplace_back(line);
    });
  }
  LogLines(const LogLines&) = delete;
  LogLines& operator=(const LogLines&) = delete;
  ~LogLines() { set_log_sink({}); }

  // How many lines say so.
  [[nodiscard]] long count(std::string_view words) const {
    std::lock_guard hold(kept_->mutex);
    return std::count_if(kept_->lines.begin(), kept_->lines.end(),
                         [&](const std::string& line) { return line.find(words) != std::string::npos; });
  }

 private:
  struct Kept {
    std::mutex mutex;
    std::vector<std::string> lines;
  };
  std::shared_ptr<Kept> kept_ = std::make_shared<Kept>();
};

}  // namespace hawser::testing
