// Progress: how far a transfer has got, drawn on standard error when that is a terminal:
//
//   a.bin  ███████████▌              46%  235 MiB of 512 MiB  412.0 MB/s  0:01 left
//
// Drawn at most ten times a second, by whoever reports progress. The speed is that of the last few seconds. Belongs to
// one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>

#include <hawser/base/clock.h>

namespace hawser::cli {

class Progress {
 public:
  // Draws nothing unless `visible`.
  explicit Progress(bool visible) noexcept : visible_(visible), began_(Clock::now()) {}
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress() { wipe(); }

  // More is to be done; may be found out while going on.
  void expect(std::uint64_t files, std::uint64_t bytes) noexcept;
  // Which file is being worked on.
  void set_name(std::string_view name) { name_ = name; }
  // Bytes moved now.
  void moved(std::uint64_t bytes);
  // Bytes that need not be moved, for they are there already.
  void skipped(std::uint64_t bytes) noexcept { skipped_ += bytes; }
  // Takes back what a failed attempt had counted.
  void undo(std::uint64_t moved_bytes, std::uint64_t skipped_bytes) noexcept;
  void file_done() noexcept { ++files_done_; }
  void wipe() noexcept;

  [[nodiscard]] std::uint64_t bytes_moved() const noexcept { return moved_; }
  [[nodiscard]] std::uint64_t bytes_done() const noexcept { return moved_ + skipped_; }
  [[nodiscard]] std::uint64_t bytes_expected() const noexcept { return bytes_; }
  [[nodiscard]] std::chrono::duration<double> elapsed() const { return Clock::now() - began_; }
  // The line as it would be drawn now.
  [[nodiscard]] std::string text(std::size_t columns, Clock::time_point now);

 private:
  void draw(Clock::time_point now);
  [[nodiscard]] double rate(Clock::time_point now);

  bool visible_;
  bool drawn_ = false;
  Clock::time_point began_;
  Clock::time_point next_draw_{};
  std::string name_;
  std::uint64_t files_ = 0, files_done_ = 0, bytes_ = 0, moved_ = 0, skipped_ = 0;
  std::deque<std::pair<Clock::time_point, std::uint64_t>> samples_;
};

// A bar of that many columns, filled to share (0 to 1) in eighths of a column.
[[nodiscard]] std::string progress_bar(double share, std::size_t columns);

}  // namespace hawser::cli
