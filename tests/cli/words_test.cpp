// How numbers, names and typing errors are shown.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cli/human.h"
#include "cli/progress.h"
#include "cli/suggestion.h"
#include "cli/terminal.h"

namespace hawser::cli {
namespace {

using namespace std::chrono_literals;

TEST(human, sizes_have_two_digits_and_change_the_unit_before_four) {
  EXPECT_EQ(format_size(0), "0 B");
  EXPECT_EQ(format_size(1023), "1023 B");
  EXPECT_EQ(format_size(1024), "1.0 KiB");
  EXPECT_EQ(format_size(10 * 1024), "10 KiB");
  EXPECT_EQ(format_size(1024 * 1024 - 1), "1.0 MiB");
  EXPECT_EQ(format_size(512ULL << 20), "512 MiB");
  EXPECT_EQ(format_size(~0ULL), "16 EiB");
}

TEST(human, rates_are_decimal) {
  EXPECT_EQ(format_rate(12), "12 B/s");
  EXPECT_EQ(format_rate(870e3), "870 kB/s");
  EXPECT_EQ(format_rate(12.5e6), "12.5 MB/s");
  EXPECT_EQ(format_rate(1.31e9), "1.31 GB/s");
}

TEST(human, durations_get_coarser) {
  EXPECT_EQ(format_duration(0.42s), "0.4 s");
  EXPECT_EQ(format_duration(12s), "12 s");
  EXPECT_EQ(format_duration(187s), "3:07");
  EXPECT_EQ(format_duration(3765s), "1:02:45");
}

TEST(human, modes_read_as_ls_shows_them) {
  EXPECT_EQ(format_mode("file", 0644), "-rw-r--r--");
  EXPECT_EQ(format_mode("dir", 0750), "drwxr-x---");
  EXPECT_EQ(format_mode("link", 0777), "lrwxrwxrwx");
}

TEST(terminal, names_cannot_move_the_cursor) {
  EXPECT_EQ(printable("plain ü 日本 🚀"), "plain ü 日本 🚀");
  EXPECT_EQ(printable("a\nb\tc"), "a\\nb\\tc");
  EXPECT_EQ(printable("\x1b[2J"), "\\x1b[2J");
  EXPECT_EQ(printable("\x7f"), "\\x7f");
  EXPECT_EQ(printable("\xc2\x9b"), "\\x9b");  // CSI as one character of C1
}

TEST(terminal, names_cannot_turn_the_text_around) {
  EXPECT_EQ(printable("gpj\u202eexe"), "gpj\\u202eexe");
  EXPECT_EQ(printable("\u2066"), "\\u2066");
}

TEST(terminal, bytes_that_are_not_utf8_are_shown_as_such) {
  EXPECT_EQ(printable("\xff\xc3"), "\\xff\\xc3");
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // a surrogate
}

TEST(terminal, text_is_cut_in_the_middle_by_columns) {
  EXPECT_EQ(fit("short", 10), "short");
  EXPECT_EQ(fit("a-long-file-name.txt", 9), "a-lo….txt");
  EXPECT_EQ(display_width("日本"), 4U);
  EXPECT_LE(display_width(fit("日本語日本語", 5)), 5U);
  EXPECT_EQ(fit("abc", 0), "");
}

TEST(progress, the_bar_fills_in_eighths) {
  EXPECT_EQ(progress_bar(0, 3), "   ");
  EXPECT_EQ(progress_bar(0.5, 3), "█▌ ");
  EXPECT_EQ(progress_bar(1, 3), "███");
  EXPECT_EQ(progress_bar(7, 2), "██");
}

TEST(progress, the_line_says_percent_speed_and_time_left) {
  Progress progress(false);
  progress.expect(1, 1000);
  progress.set_name("a.bin");
  progress.skipped(250);
  progress.moved(250);
  const std::string line = progress.text(100, Clock::now() + 1s);
  EXPECT_NE(line.find("a.bin"), std::string::npos);
  EXPECT_NE(line.find("50%"), std::string::npos);
  EXPECT_NE(line.find("B/s"), std::string::npos);
  EXPECT_NE(line.find(" left"), std::string::npos);
}

TEST(progress, the_line_fits_every_width) {
  Progress progress(false);
  progress.expect(1200, 5'000'000'000);
  progress.set_name("a name that is quite long and 日本語 besides.tar.gz");
  progress.moved(123'456'789);
  for (std::size_t columns = 1; columns < 200; ++columns)
    EXPECT_LE(display_width(progress.text(columns, Clock::now() + 1s)), columns) << columns;
}

TEST(suggestion, distance_counts_swaps_once) {
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("abc", "abc"), 0U);
  EXPECT_EQ(edit_distance("pust", "puts"), 1U);
  EXPECT_EQ(edit_distance("regster", "register"), 1U);
}

TEST(suggestion, the_nearest_word_is_meant_and_far_ones_are_not) {
  const std::vector<std::string> known{"register", "login", "logout", "ls", "put", "get"};
  EXPECT_EQ(nearest_word("regster", known), "register");
  EXPECT_EQ(nearest_word("logni", known), "login");
  EXPECT_EQ(nearest_word("reg", known), "register");
  EXPECT_EQ(nearest_word("gte", known), "get");
  EXPECT_EQ(nearest_word("frobnicate", known), "");
  EXPECT_EQ(nearest_word("", known), "");
}

}  // namespace
}  // namespace hawser::cli
