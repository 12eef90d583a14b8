// What the tests of conversations under faults share: contexts to run in, kinds of bad weather, and
// a count of the descriptors that are open.
#pragma once

#include <gtest/gtest.h>

#include <barrier>
#include <cerrno>
#include <chrono>
#include <exception>
#include <filesystem>
#include <functional>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include <hawser/base/faults.h>
#include <hawser/base/log.h>
#include <hawser/fiber/counters.h>
#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>
#include <hawser/net/socket.h>
#include <hawser/process/popen.h>
#include <hawser/tls/certificate.h>
#include <hawser/tls/tls_stream.h>

#include "net/both_contexts.h"

namespace hawser::testing {

using namespace std::chrono_literals;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr int kRounds = 8;
#else
inline constexpr int kRounds = 40;
#endif

// Nothing that a caller may notice: calls that are interrupted, find nothing to do, or do less than they were asked.
#define HAWSER_EVERYDAY_FAULTS                                                                                       \
  {                                                                                                                  \
    {SystemCall::recv, EAGAIN, 0.1}, {SystemCall::recv, EINTR, 0.1}, {SystemCall::recv, Fault::kShort, 0.3},         \
        {SystemCall::send, EAGAIN, 0.1}, {SystemCall::send, EINTR, 0.1}, {SystemCall::send, Fault::kShort, 0.3},     \
        {SystemCall::sendmsg, EAGAIN, 0.1}, {SystemCall::sendmsg, EINTR, 0.1},                                       \
        {SystemCall::sendmsg, Fault::kShort, 0.3}, {SystemCall::sendfile, EAGAIN, 0.1},                              \
        {SystemCall::sendfile, EINTR, 0.1}, {SystemCall::sendfile, Fault::kShort, 0.3},                              \
        {SystemCall::pread, EINTR, 0.1}, {SystemCall::pread, Fault::kShort, 0.3}, {SystemCall::read, EAGAIN, 0.1},   \
        {SystemCall::read, EINTR, 0.1}, {SystemCall::read, Fault::kShort, 0.3}, {SystemCall::write, EAGAIN, 0.1},    \
        {SystemCall::write, EINTR, 0.1}, {SystemCall::write, Fault::kShort, 0.3}, {SystemCall::connect, EINTR, 0.3}, \
        {SystemCall::accept4, EINTR, 0.2}, {SystemCall::accept4, EAGAIN, 0.2},                                       \
        {SystemCall::accept4, ECONNABORTED, 0.1}, {SystemCall::accept4, EMFILE, 0.05},                               \
        {SystemCall::accept4, ENOBUFS, 0.05}, {SystemCall::epoll_wait, EINTR, 0.2}, {SystemCall::poll, EINTR, 0.2},  \
        {SystemCall::io_uring_enter, EINTR, 0.2}, {SystemCall::waitid, EINTR, 0.3}, {SystemCall::close, EINTR, 0.3}, \
  }

// Threads that wait for a socket borrow a descriptor each to be woken by, which is kept for the next one: from now on
// there are enough of them.
inline void make_bells() {
  constexpr int kEnough = 4;
  std::barrier together(kEnough);
  std::vector<std::thread> threads;
  for (int i = 0; i < kEnough; ++i) {
    threads.emplace_back([&] {
      auto [a, b] = socketpair();
      a.set_timeout(1ms);
      EXPECT_THROW(static_cast<void>(a.recv(1)), SocketTimeout);
      together.arrive_and_wait();
    });
  }
  for (std::thread& thread : threads) thread.join();
}

// Runs a body in a fiber, or on plain threads.
class Weather : public ::testing::TestWithParam<ContextKind> {
 protected:
  void SetUp() override {
    set_log_sink([](LogLevel, std::string_view) {});  // of accept() that waits for descriptors, again and again
  }
  void in_place(const std::function<void()>& body) {
    if (GetParam() == ContextKind::thread) make_bells();
    run_in_context(GetParam(), body);
  }

 public:
  // Another flow of control of the same kind.
  [[nodiscard]] static Peer beside(std::function<void()> body) { return {GetParam(), std::move(body)}; }
};

inline std::size_t open_descriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

// What there is at one moment, and must be there again later: open descriptors, and fibers that run a task.
class Ledger {
 public:
  void expect_the_same() const {
    if (in_fiber()) yield();  // those that have just ended
    EXPECT_EQ(open_descriptors(), descriptors_);
    EXPECT_EQ(fibers(), fibers_);
  }

 private:
  static std::uint64_t fibers() { return runtime_counters().total.fibers_live; }
  std::size_t descriptors_ = open_descriptors();
  std::uint64_t fibers_ = fibers();
};

// Bytes of which each tells where it belongs.
inline std::string pattern(std::size_t size, unsigned salt = 0) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>((i * 2654435761U + salt) >> 11);
  return text;
}

inline std::string read_to_end(Stream& stream) {
  std::string all;
  std::string chunk(8192, '\0');
  while (const std::size_t got = stream.read_some(std::as_writable_bytes(std::span(chunk)))) all.append(chunk, 0, got);
  return all;
}

}  // namespace hawser::testing
