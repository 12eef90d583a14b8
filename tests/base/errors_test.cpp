#include <hawser/base/errors.h>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <string>
#include <type_traits>
#include <vector>

#include <hawser/base/clock.h>
#include <hawser/base/fd.h>
#include <hawser/base/log.h>

using namespace hawser;
using namespace std::chrono_literals;

TEST(errors, name_operation_object_and_reason) {
  const SystemError error(ECONNREFUSED, "connect", "127.0.0.1:81");
  EXPECT_STREQ(error.what(), "connect 127.0.0.1:81: Connection refused");
  EXPECT_EQ(error.code(), std::errc::connection_refused);
  EXPECT_STREQ(SystemError(EMFILE, "pipe", "").what(), "pipe: Too many open files");
}

TEST(errors, the_three_early_ends_are_told_apart) {
  EXPECT_FALSE((std::is_base_of_v<TimedOut, DeadlineExceeded>));
  EXPECT_FALSE((std::is_base_of_v<TimedOut, Cancelled>));
  EXPECT_FALSE((std::is_base_of_v<DeadlineExceeded, Cancelled>));
}

TEST(expiry, refuses_negative_lengths_and_saturates) {
  EXPECT_THROW(Expiry::in(-1ns), std::invalid_argument);
  EXPECT_TRUE(Expiry::in(Duration::max()).is_never());
  EXPECT_TRUE(Expiry::of(std::nullopt).is_never());
  EXPECT_TRUE(Expiry::in(0s).passed());
  EXPECT_FALSE(Expiry::in(1h).passed());
  EXPECT_LT(Expiry::in(1h), Expiry::never());
  EXPECT_EQ(Expiry::in(0s).left(), Duration::zero());
}

TEST(unique_fd, closes_once_and_keeps_errno) {
  int pair[2];
  ASSERT_EQ(::pipe(pair), 0);
  {
    UniqueFd a(pair[0]);
    UniqueFd b = std::move(a);
    EXPECT_FALSE(a);  // NOLINT(bugprone-use-after-move): that is what is promised
    errno = EDOM;
    b.reset();
    EXPECT_EQ(errno, EDOM);
  }
  EXPECT_EQ(::fcntl(pair[0], F_GETFD), -1);
  UniqueFd writer(pair[1]);
  const UniqueFd copy = duplicate(writer.get());
  EXPECT_TRUE(::fcntl(copy.get(), F_GETFD) & FD_CLOEXEC);
  set_nonblocking(copy.get(), true);
  EXPECT_TRUE(::fcntl(copy.get(), F_GETFL) & O_NONBLOCK);
  EXPECT_THROW(duplicate(-1), SystemError);
}

TEST(log, goes_to_the_sink_that_was_set) {
  std::vector<std::string> lines;
  set_log_sink([&](LogLevel level, std::string_view line) {
    if (level == LogLevel::warning) lines.emplace_back(line);
  });
  log_line(LogLevel::warning, "mind the gap");
  set_log_sink({});
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0], "mind the gap");
}
