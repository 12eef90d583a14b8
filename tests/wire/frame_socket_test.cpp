// Frames on real sockets and fibers.
#include <hawser/fiber/deadline.h>
#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>
#include <hawser/net/socket.h>
#include <hawser/wire/frame_stream.h>

#include <array>
#include <cstdio>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <malloc.h>

#include "net/both_contexts.h"

namespace hawser {
namespace {

using namespace std::chrono_literals;

TEST(frames_on_sockets, echo_both_ways_at_once) {
  run([] {
    auto [near, far] = socketpair();
    auto echo = spawn([&far = far] {
      FrameStream frames(far);
      while (const Frame frame = frames.receive()) {
        const Bytes body = frames.read_body_all(1 << 20);
        frames.send({{"n", frame["n"]}}, body);
      }
    });
    FrameStream frames(near);
    constexpr int kFrames = 300;
    auto sender = spawn([&] {
      for (int i = 0; i < kFrames; ++i) frames.send({{"n", i}}, std::string(static_cast<std::size_t>(i) * 50, 'x'));
      frames.stream().shutdown_write();
    });
    for (int i = 0; i < kFrames; ++i) {
      const Frame frame = frames.receive();
      ASSERT_EQ(frame["n"].as_int64(), i);
      ASSERT_EQ(frames.read_body_all(1 << 20).size(), static_cast<std::size_t>(i) * 50);
    }
    sender.get();
    echo.get();
  });
}

TEST(frames_on_sockets, who_waits_for_a_frame_holds_no_buffer) {
  run([] {
    constexpr std::size_t kPairs = 200;
    const auto heap = [] { return ::mallinfo2().uordblks + ::mallinfo2().hblkhd; };
    std::vector<std::pair<Socket, Socket>> pairs;
    for (std::size_t i = 0; i < kPairs; ++i) pairs.push_back(socketpair());
    std::size_t before = 0;
    std::vector<Task<void>> servers;
    for (int round = 0; round < 2; ++round) {  // the first warms up what is kept
      for (auto& [near, far] : pairs) {
        servers.push_back(spawn([&end = far] {
          FrameStream frames(end);
          while (const Frame frame = frames.receive()) frames.send({{"n", frame["n"]}}, frames.read_body_all(5000));
        }));
        FrameStream frames(near);
        frames.send({{"n", servers.size()}}, std::string(4000, 'x'));
        EXPECT_EQ(frames.receive()["n"].as_uint64(), servers.size());
        EXPECT_EQ(frames.read_body_all(5000).size(), 4000U);
        if (round == 0) near.shutdown_write();
      }
      if (round == 1) break;
      for (auto& server : servers) server.get();
      for (auto& pair : pairs) pair = socketpair();
      before = heap();
    }
    EXPECT_LT((heap() - before) / kPairs, 4U * 1024) << "bytes for each that waits";
    for (auto& [near, far] : pairs) near.shutdown_write();
    for (auto& server : servers) server.get();
  });
}

TEST(frames_on_sockets, a_crowd_that_wakes_at_once_gets_each_its_own) {
  run([] {
    constexpr std::size_t kPairs = 400;  // more than a thread keeps buffers for, and than a turn of the loop takes
    std::vector<std::pair<Socket, Socket>> pairs;
    std::vector<Task<void>> servers;
    for (std::size_t i = 0; i < kPairs; ++i) {
      pairs.push_back(socketpair());
      servers.push_back(spawn([end = std::move(pairs.back().second)]() mutable {
        FrameStream frames(end);
        while (const Frame frame = frames.receive()) frames.send({{"n", frame["n"]}}, frames.read_body_all(1000));
      }));
    }
    std::vector<FrameStream> streams;
    streams.reserve(kPairs);
    for (auto& pair : pairs) streams.emplace_back(pair.first);
    for (int round = 0; round < 5; ++round) {
      yield();  // all servers wait
      for (std::size_t i = 0; i < kPairs; ++i) streams[i].send({{"n", i}}, std::string(i, 'a'));
      for (std::size_t i = 0; i < kPairs; ++i) {
        ASSERT_EQ(streams[i].receive()["n"].as_uint64(), i);
        ASSERT_EQ(streams[i].read_body_all(1000).view(), std::string(i, 'a'));
      }
    }
    for (auto& pair : pairs) pair.first.shutdown_write();
    for (auto& server : servers) server.get();
  });
}

TEST(frames_on_sockets, silence_between_frames_ends_with_timed_out) {
  run([] {
    auto [near, far] = socketpair();
    FrameStream frames(near, {.idle = 1ms});
    EXPECT_THROW((void)frames.receive(), TimedOut);
    FrameStream(far).send({{"late", true}});
    EXPECT_TRUE(frames.receive()["late"].as_bool()) << "nothing was lost by waiting in vain";
  });
}

TEST(frames_on_sockets, a_header_that_does_not_go_on_is_slow) {
  run([] {
    auto [near, far] = socketpair();
    far.send_all(std::string_view("\x20\0\0\0{\"a", 7));
    FrameStream frames(near, {.header = 1ms});
    try {
      (void)frames.receive();
      FAIL();
    } catch (const FrameError& error) {
      EXPECT_EQ(error.fault(), FrameFault::slow);
    }
  });
}

TEST(frames_on_sockets, a_deadline_around_receive_passes_through_and_loses_nothing) {
  run([] {
    auto [near, far] = socketpair();
    FrameStream frames(near, {.idle = 1h, .header = 1h});
    far.send_all(std::string_view("\x08\0\0\0{\"a", 7));
    {
      const Deadline budget(1ms);
      EXPECT_THROW((void)frames.receive(), DeadlineExceeded);
    }
    far.send_all("\":12}");
    EXPECT_EQ(frames.receive()["a"].as_int64(), 12);
  });
}

TEST(frames_on_sockets, a_cancelled_receive_loses_nothing) {
  run([] {
    auto [near, far] = socketpair();
    FrameStream frames(near);
    far.send_all(std::string_view("\x08\0\0\0{\"a", 7));
    const auto reader = spawn([&] { (void)frames.receive(); });
    yield();
    reader.kill();
    reader.join();
    EXPECT_TRUE(reader.cancelled());
    far.send_all("\":12}");
    EXPECT_EQ(frames.receive()["a"].as_int64(), 12);
  });
}

class frames_in : public testing::BothContexts {};
HAWSER_IN_BOTH_CONTEXTS(frames_in);

// Both ways to read much of a body at once.
std::string rest_of_body(FrameStream& frames, bool all) {
  if (all) return frames.read_body_all(10'000'000).str();
  std::string body(static_cast<std::size_t>(frames.body_left()), '\0');
  EXPECT_EQ(frames.read_body_exactly(std::as_writable_bytes(std::span(body))), body.size());
  return body;
}

TEST_P(frames_in, a_body_that_is_interrupted_has_not_been_taken) {
  in_context([] {
    for (const bool all : {true, false}) {
      for (const std::size_t size : {12U, 100'000U, 3'000'000U}) {
        auto [near, far] = socketpair();
        FrameStream frames(near);
        FrameStream others(far);
        const std::string body = "the body's " + std::string(size - 11, 'x');
        auto sender = peer([&, &far = far] {
          others.send_header({{"size", size}});
          others.write_body(std::string_view(body).substr(0, size / 2));
          EXPECT_EQ(far.recv(1), "g");
          others.write_body(std::string_view(body).substr(size / 2));
          others.send({{"next", true}});
        });
        EXPECT_EQ(frames.receive().body_size(), size);
        std::array<std::byte, 4> taken;
        EXPECT_EQ(frames.read_body_exactly(taken), 4U);
        for (int i = 0; i < 2; ++i) {
          const Deadline budget(i == 0 ? 20ms : 1ms);
          EXPECT_THROW((void)rest_of_body(frames, all), DeadlineExceeded);
          EXPECT_EQ(frames.body_left(), size - 4);
        }
        near.send_all("g");
        EXPECT_EQ(rest_of_body(frames, all) == body.substr(4), true) << size;
        EXPECT_TRUE(frames.receive()["next"].as_bool());
        sender.get();
      }
    }
  });
}

TEST_P(frames_in, what_an_interrupted_call_had_of_a_body_is_read_piece_by_piece_or_skipped) {
  in_context([] {
    for (const bool skipped : {true, false}) {
      auto [near, far] = socketpair();
      FrameStream frames(near);
      FrameStream others(far);
      others.send_header({{"size", 30'000}});
      others.write_body(std::string(20'000, 'a'));
      EXPECT_EQ(frames.receive().body_size(), 30'000U);
      near.set_timeout(1ms);
      EXPECT_THROW((void)frames.read_body_all(30'000), SocketTimeout);
      others.write_body(std::string(10'000, 'b'));
      others.send({{"next", true}});
      std::string body;
      std::string piece(7'000, '\0');
      while (!skipped && frames.body_left() > 0) {
        body.append(piece, 0, frames.read_body(std::as_writable_bytes(std::span(piece))));
      }
      EXPECT_EQ(body == (skipped ? "" : std::string(20'000, 'a') + std::string(10'000, 'b')), true);
      EXPECT_TRUE(frames.receive()["next"].as_bool());
    }
  });
}

TEST(frames_on_sockets, a_body_whose_reading_is_cancelled_has_not_been_taken) {
  run([] {
    auto [near, far] = socketpair();
    FrameStream frames(near);
    FrameStream(far).send_header({{"size", 12}});
    far.send_all("abcd");
    EXPECT_TRUE(frames.receive());
    const auto reader = spawn([&] { (void)frames.read_body_all(100); });
    yield();
    reader.kill();
    reader.join();
    EXPECT_TRUE(reader.cancelled());
    far.send_all("efghijkl");
    EXPECT_EQ(frames.read_body_all(100), "abcdefghijkl");
  });
}

TEST(frames_on_sockets, a_file_is_sent_as_a_body) {
  std::FILE* file = std::tmpfile();
  const std::string content(300'000, 'f');
  std::fwrite(content.data(), 1, content.size(), file);
  std::fflush(file);
  run([&] {
    auto [near, far] = socketpair();
    const auto sender = spawn([&far = far, fd = fileno(file)] {
      FrameStream(far).send({{"cmd", "put"}}, FileSlice{fd, 100, 200'000});
    });
    FrameStream frames(near);
    EXPECT_EQ(frames.receive().body_size(), 200'000U);
    EXPECT_EQ(frames.read_body_all(1 << 20), std::string_view(content).substr(0, 200'000));
    sender.get();
  });
  std::fclose(file);
}

}  // namespace
}  // namespace hawser
