// TransferReport: what a put or a get did with each file, told as it goes and summed up at the end.
//
// Belongs to one loop: the fibers that transfer side by side all report here.
#pragma once

#include <cstdint>
#include <string>

#include <hawser/wire/json.h>

#include "cli/path_errors.h"
#include "cli/progress.h"
#include "cli/report.h"

namespace hawser::cli {

class TransferReport {
 public:
  explicit TransferReport(Report& report);
  TransferReport(const TransferReport&) = delete;
  TransferReport& operator=(const TransferReport&) = delete;
  ~TransferReport();

  [[nodiscard]] Progress& progress() noexcept { return progress_; }
  [[nodiscard]] PathErrors& errors() noexcept { return errors_; }

  struct Done {
    std::string from, to;
    std::uint64_t size = 0;
    std::uint64_t resumed_at = 0;
    std::string algorithm, hash;
  };
  void done(const Done& file);
  // It is there already, the same.
  void unchanged(const std::string& from, const std::string& to, std::uint64_t size);
  void skipped(const std::string& path, const std::string& why);
  // The JSON object, or a line for people; the exit code.
  int finish(std::string_view verb);

 private:
  Report& report_;
  PathErrors errors_;
  Progress progress_;
  Json files_ = Json::array();
  Json skipped_ = Json::array();
  std::uint64_t done_ = 0, unchanged_ = 0, skips_ = 0, resumed_ = 0, resumed_bytes_ = 0;
  std::string last_;
};

}  // namespace hawser::cli
