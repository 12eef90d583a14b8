#include <hawser/base/faults.h>

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <string>
#include <thread>

#include <hawser/base/fd.h>
#include <hawser/base/system_calls.h>
#include <hawser/process/pipe_stream.h>

namespace hawser {
namespace {

namespace sys = detail::sys;

std::array<char, 64> g_text{};

struct OnePipe {
  std::pair<UniqueFd, UniqueFd> ends = make_pipe();
  ssize_t write() { return sys::write(ends.second.get(), g_text.data(), g_text.size()); }
};

TEST(Faults, strike_the_nth_call_and_only_that) {
  OnePipe pipe;
  const FaultInjection faults({{.call = SystemCall::write, .error = ENOBUFS, .nth = 3}});
  EXPECT_EQ(pipe.write(), 64);
  EXPECT_EQ(pipe.write(), 64);
  EXPECT_EQ(pipe.write(), -1);
  EXPECT_EQ(errno, ENOBUFS);
  EXPECT_EQ(pipe.write(), 64);
  EXPECT_EQ(faults.struck(SystemCall::write), 1U);
  EXPECT_EQ(faults.struck(SystemCall::read), 0U);
}

TEST(Faults, a_short_call_moves_a_part_and_at_least_a_byte) {
  OnePipe pipe;
  const FaultInjection faults({{.call = SystemCall::write, .probability = 1}});
  for (int i = 0; i < 100; ++i) {
    const ssize_t put = pipe.write();
    EXPECT_GE(put, 1);
    EXPECT_LT(put, 64);
  }
}

TEST(Faults, the_same_seed_gives_the_same_faults) {
  const auto pattern = [](std::uint64_t seed) {
    OnePipe pipe;
    const FaultInjection faults({{.call = SystemCall::write, .error = EINTR, .probability = 0.5}}, seed);
    std::string struck;
    for (int i = 0; i < 64; ++i) struck += pipe.write() < 0 ? '!' : '.';
    return struck;
  };
  EXPECT_EQ(pattern(7), pattern(7));
  EXPECT_NE(pattern(7), pattern(8));
  EXPECT_NE(pattern(7).find('!'), std::string::npos);
  EXPECT_NE(pattern(7).find('.'), std::string::npos);
}

TEST(Faults, of_a_thread_strike_no_other) {
  OnePipe pipe;
  const FaultInjection faults({{.call = SystemCall::write, .error = EINTR, .probability = 1}}, 1,
                              FaultInjection::Scope::thread);
  EXPECT_EQ(pipe.write(), -1);
  std::thread([&] { EXPECT_EQ(pipe.write(), 64); }).join();
}

TEST(Faults, refuse_what_makes_no_sense) {
  const auto make = [](double probability) {
    const FaultInjection faults({{.call = SystemCall::read, .error = EINTR, .probability = probability}});
  };
  EXPECT_THROW(make(1.5), std::invalid_argument);
  EXPECT_THROW(make(-0.5), std::invalid_argument);
  const FaultInjection one({});
  EXPECT_THROW(make(0.5), std::logic_error);
}

}  // namespace
}  // namespace hawser
