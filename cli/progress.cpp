#include "cli/progress.h"

#include <algorithm>
#include <array>

#include <unistd.h>

#include <fmt/format.h>

#include "cli/human.h"
#include "cli/terminal.h"

namespace hawser::cli {
namespace {

constexpr std::chrono::milliseconds kBetweenDraws{100};
constexpr std::chrono::seconds kSpeedWindow{5};

void put(std::string_view text) noexcept { static_cast<void>(!::write(STDERR_FILENO, text.data(), text.size())); }

}  // namespace

std::string progress_bar(double share, std::size_t columns) {
  static constexpr std::array<std::string_view, 8> kEighths{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const auto eighths = static_cast<std::size_t>(std::clamp(share, 0.0, 1.0) * static_cast<double>(columns) * 8);
  std::string bar;
  for (std::size_t i = 0; i < eighths / 8; ++i) bar += "█";
  bar += kEighths[eighths % 8];
  for (std::size_t used = (eighths + 7) / 8; used < columns; ++used) bar += ' ';
  return bar;
}

void Progress::expect(std::uint64_t files, std::uint64_t bytes) noexcept {
  files_ += files;
  bytes_ += bytes;
}

void Progress::moved(std::uint64_t bytes) {
  moved_ += bytes;
  if (!visible_) return;
  if (const auto now = Clock::now(); now >= next_draw_) draw(now);
}

void Progress::undo(std::uint64_t moved_bytes, std::uint64_t skipped_bytes) noexcept {
  moved_ -= std::min(moved_, moved_bytes);
  skipped_ -= std::min(skipped_, skipped_bytes);
  samples_.clear();
}

void Progress::wipe() noexcept {
  if (!std::exchange(drawn_, false)) return;
  put("\r\x1b[K");
}

double Progress::rate(Clock::time_point now) {
  if (samples_.empty()) samples_.emplace_back(began_, 0);
  samples_.emplace_back(now, moved_);
  while (samples_.size() > 2 && now - samples_.front().first > kSpeedWindow) samples_.pop_front();
  const std::chrono::duration<double> span = now - samples_.front().first;
  return span.count() > 0 ? static_cast<double>(moved_ - samples_.front().second) / span.count() : 0;
}

std::string Progress::text(std::size_t columns, Clock::time_point now) {
  const std::uint64_t done = std::min(bytes_done(), bytes_);
  const double share = bytes_ == 0 ? 1.0 : static_cast<double>(done) / static_cast<double>(bytes_);
  const double speed = rate(now);
  std::string facts =
      fmt::format("{:3.0f}%  {} of {}  {}", share * 100, format_size(done), format_size(bytes_), format_rate(speed));
  if (files_ > 1) facts += fmt::format("  {}/{} files", files_done_, files_);
  if (speed > 0)
    facts += fmt::format("  {} left",
                         format_duration(std::chrono::duration<double>(static_cast<double>(bytes_ - done) / speed)));
  const std::size_t width = display_width(facts);
  if (columns <= width + 1) return fit(facts, columns);
  const std::size_t room = columns - width - 1;
  constexpr std::size_t kShortestBar = 8, kLongestBar = 30, kBorders = 4;
  if (room < kShortestBar + kBorders) return facts;
  const std::string name = fit(printable(name_), std::min<std::size_t>(28, (room - kBorders) / 2));
  const std::size_t bar = std::min(kLongestBar, room - kBorders - display_width(name));
  return fmt::format("{}{}{}  {}", name, name.empty() ? "" : "  ", progress_bar(share, bar), facts);
}

void Progress::draw(Clock::time_point now) {
  next_draw_ = now + kBetweenDraws;
  drawn_ = true;
  put("\r\x1b[K" + text(terminal_width(STDERR_FILENO), now));
}

}  // namespace hawser::cli
