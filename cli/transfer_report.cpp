#include "cli/transfer_report.h"

#include <unistd.h>

#include <fmt/format.h>

#include "cli/human.h"
#include "cli/terminal.h"

namespace hawser::cli {

TransferReport::TransferReport(Report& report)
    : report_(report), errors_(report), progress_(is_terminal(STDERR_FILENO) && !report.quiet()) {
  report_.set_progress(&progress_);
}

TransferReport::~TransferReport() { report_.set_progress(nullptr); }

void TransferReport::done(const Done& file) {
  progress_.file_done();
  ++done_;
  last_ = fmt::format("{} → {}", file.from, file.to);
  if (file.resumed_at > 0) {
    ++resumed_;
    resumed_bytes_ += file.resumed_at;
  }
  report_.detail(fmt::format("{}  {}  {} {}", last_, format_size(file.size), file.algorithm, file.hash));
  if (report_.wants_json())
    files_.push_back({{"from", file.from},
                      {"to", file.to},
                      {"size", file.size},
                      {"resumed_at", file.resumed_at},
                      {"hash", {{"algorithm", file.algorithm}, {"value", file.hash}}}});
}

void TransferReport::unchanged(const std::string& from, const std::string& to, std::uint64_t size) {
  ++unchanged_;
  if (report_.wants_json()) files_.push_back({{"from", from}, {"to", to}, {"size", size}, {"unchanged", true}});
}

void TransferReport::skipped(const std::string& path, const std::string& why) {
  ++skips_;
  report_.warn(fmt::format("skipped {}: {}", path, why));
  if (report_.wants_json()) skipped_.push_back({{"path", path}, {"why", why}});
}

int TransferReport::finish(std::string_view verb) {
  progress_.wipe();
  const auto elapsed = progress_.elapsed();
  const std::uint64_t bytes = progress_.bytes_moved();
  if (report_.wants_json()) {
    Json result = {{"files", std::move(files_)}};
    if (skips_ > 0) result.set("skipped", std::move(skipped_));
    result.set("bytes", bytes);
    result.set("seconds", elapsed.count());
    errors_.add_to(result);
    report_.json(result);
    return errors_.exit_code();
  }
  const std::string what = done_ == 1 && unchanged_ == 0 ? last_ : count_of(done_, "file", "files");
  std::string line = fmt::format("{} {}: {} in {}", verb, what, format_size(bytes), format_duration(elapsed));
  if (bytes > 0 && elapsed.count() > 0)
    line += fmt::format(" ({}), verified", format_rate(static_cast<double>(bytes) / elapsed.count()));
  if (resumed_ > 0) line += fmt::format("; {} had been sent before", format_size(resumed_bytes_));
  if (unchanged_ > 0) line += fmt::format("; {} unchanged", count_of(unchanged_, "file", "files"));
  if (skips_ > 0) line += fmt::format("; {} skipped", skips_);
  if (errors_.count() > 0) line += fmt::format("; {} failed", errors_.count());
  if (done_ + unchanged_ > 0 || errors_.count() == 0) report_.say(line);
  return errors_.exit_code();
}

}  // namespace hawser::cli
