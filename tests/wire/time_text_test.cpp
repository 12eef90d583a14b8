// Times as text. That every conversion is Python's is seen by the vectors.
#include <hawser/wire/time_text.h>

#include <gtest/gtest.h>

#include <clocale>
#include <limits>
#include <random>
#include <string>

#include <hawser/base/errors.h>

namespace hawser {
namespace {

using namespace std::chrono_literals;

TEST(time_text, formats_a_moment) {
  EXPECT_EQ(format_time("%Y-%m-%d %H:%M:%S", utc_time(1'700'000'000)), "2023-11-14 22:13:20");
  EXPECT_EQ(format_time("", utc_time(0)), "");
  EXPECT_EQ(format_time("年%Y月%m", utc_time(0)), "年1970月01");
  EXPECT_EQ(format_time("%H:%M:%S", utc_time(std::chrono::system_clock::time_point(-500ms))), "23:59:59")
      << "before 1970 a part of a second counts downwards, too";
}

TEST(time_text, is_the_same_in_every_locale) {
  std::setlocale(LC_ALL, "zh_CN.UTF-8");
  EXPECT_EQ(format_time("%A %B %p", utc_time(0)), "Thursday January AM");
  std::setlocale(LC_ALL, "C");
}

TEST(time_text, zero_bytes_stay_where_they_are) {
  const std::string_view format("\0%Y\0\0%m\0", 8);
  EXPECT_EQ(format_time(format, utc_time(0)), std::string("\0"
                                                          "1970\0\0"
                                                          "01\0",
                                                          10));
}

TEST(time_text, a_text_beyond_the_limit_is_refused_and_one_that_fits_is_not) {
  const std::tm time = utc_time(0);
  EXPECT_EQ(format_time("%20d", time, 20).size(), 20U);
  EXPECT_THROW((void)format_time("%21d", time, 20), TimeTextTooLong);
  EXPECT_EQ(format_time("%20d", time), "00000000000000000001");
  EXPECT_THROW((void)format_time("%999999999999d", time), TimeTextTooLong);
  EXPECT_THROW((void)format_time("%2147483647Y", time), TimeTextTooLong);
  EXPECT_EQ(format_time(std::string(20, '\0'), time, 20).size(), 20U);
  EXPECT_THROW((void)format_time(std::string(21, '\0'), time, 20), TimeTextTooLong);
  EXPECT_EQ(format_time("", time, 0), "");
  EXPECT_THROW((void)format_time("x", time, 0), TimeTextTooLong);
}

TEST(time_text, formats_of_strangers_are_understood_or_refused) {
  std::mt19937 random(9);
  static constexpr char kLetters[] = "%%%%%%%%EO_-0^#123456789aAbBcCdDeFgGhHIjklmMnNpPqQrRsStTuUvVwWxXyYzZ+:\0 ";
  constexpr std::string_view kUsual(kLetters, sizeof kLetters - 1);
  for (int round = 0; round < 20'000; ++round) {
    std::string format(random() % 30, '\0');
    for (char& c : format) c = random() % 8 == 0 ? static_cast<char>(random()) : kUsual[random() % kUsual.size()];
    std::tm time = utc_time(static_cast<std::time_t>(random()));
    if (round % 5 == 0) time.tm_mon = static_cast<int>(random());
    if (round % 7 == 0) time.tm_year = std::numeric_limits<int>::max();
    try {
      ASSERT_LE(format_time(format, time, 1000).size(), 1000U);
    } catch (const TimeTextTooLong&) {
      continue;
    }
  }
}

TEST(time_text, a_year_beyond_an_int_is_an_error) {
  EXPECT_THROW((void)utc_time(std::numeric_limits<std::time_t>::max()), SystemError);
}

}  // namespace
}  // namespace hawser
