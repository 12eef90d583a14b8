#include <hawser/fiber/uring_ring.h>

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <optional>
#include <thread>
#include <vector>

#include <hawser/base/errors.h>

using namespace hawser;
using namespace std::chrono_literals;
using detail::UringRing;

namespace {

constexpr UringRing::Mode kModes[] = {UringRing::Mode::deferred, UringRing::Mode::cooperative, UringRing::Mode::plain};

struct PipeEnds {
  PipeEnds() {
    int fds[2];
    if (::pipe(fds) < 0) throw_errno("pipe", "");
    out.reset(fds[0]);
    in.reset(fds[1]);
  }
  UniqueFd out, in;
};

void ask(UringRing& ring, int fd, std::uint64_t name) {
  io_uring_sqe* entry = ring.next_submission();
  ASSERT_NE(entry, nullptr);
  entry->opcode = IORING_OP_POLL_ADD;
  entry->fd = fd;
  entry->poll32_events = POLLIN;
  entry->user_data = name;
}

std::vector<std::uint64_t> names_of_completed(UringRing& ring) {
  std::vector<std::uint64_t> names;
  ring.take(~std::uint32_t{0}, [&](const io_uring_cqe& completion) { names.push_back(completion.user_data); });
  return names;
}

// One that works here, in that mode; none where the kernel refuses.
void make(std::optional<UringRing>& ring, UringRing::Mode mode) {
  try {
    ring.emplace(mode);
    ring->begin();
  } catch (const SystemError&) {
    ring.reset();
  }
}

}  // namespace

TEST(uring_ring, waits_for_a_completion_in_every_mode_the_kernel_knows) {
  for (const UringRing::Mode mode : kModes) {
    std::optional<UringRing> ring;
    make(ring, mode);
    if (!ring) continue;
    EXPECT_EQ(ring->mode(), mode);
    PipeEnds pipe;
    ask(*ring, pipe.out.get(), 7);
    ring->enter(Duration::zero());
    EXPECT_TRUE(names_of_completed(*ring).empty());
    ASSERT_EQ(::write(pipe.in.get(), "x", 1), 1);
    ring->enter(std::nullopt);
    EXPECT_EQ(names_of_completed(*ring), std::vector<std::uint64_t>{7});
    EXPECT_TRUE(ring->idle());
  }
}

TEST(uring_ring, a_wait_ends_with_its_time) {
  for (const UringRing::Mode mode : kModes) {
    std::optional<UringRing> ring;
    make(ring, mode);
    if (!ring) continue;
    ring->enter(1ms);
    EXPECT_TRUE(names_of_completed(*ring).empty());
  }
}

TEST(uring_ring, a_full_queue_takes_more_after_it_was_handed_over) {
  std::optional<UringRing> ring;
  make(ring, UringRing::Mode::plain);
  if (!ring) return;
  PipeEnds pipe;
  ASSERT_EQ(::write(pipe.in.get(), "x", 1), 1);
  std::size_t asked = 0;
  std::size_t completed = 0;
  for (int round = 0; round < 10; ++round) {
    while (io_uring_sqe* entry = ring->next_submission()) {
      entry->opcode = IORING_OP_NOP;
      entry->user_data = ++asked;
    }
    EXPECT_FALSE(ring->idle());
    ring->enter(Duration::zero());
  }
  while (completed < asked) {
    ring->enter(std::nullopt);
    for (const std::uint64_t name : names_of_completed(*ring)) EXPECT_EQ(name, ++completed);
  }
  EXPECT_GT(asked, 1'000U);
}

TEST(uring_ring, belongs_to_the_thread_that_begins) {
  std::optional<UringRing> ring;
  try {
    ring.emplace();
  } catch (const SystemError&) {
    return;
  }
  EXPECT_TRUE(ring->untouched());
  EXPECT_FALSE(ring->ours());
  std::thread([&] {
    ring->begin();
    EXPECT_TRUE(ring->ours());
    ring->enter(1ms);
    ring->end();
    ring->begin();
    ring->enter(1ms);
    ring->end();
  }).join();
  EXPECT_FALSE(ring->untouched());
  EXPECT_FALSE(ring->ours());
}

TEST(uring_ring, a_message_wakes_another_ring_that_sleeps_and_one_to_nobody_is_an_error) {
  for (const UringRing::Mode mode : kModes) {
    std::optional<UringRing> ring;
    make(ring, mode);
    if (!ring) continue;
    const auto send = [&](int to) {
      io_uring_sqe* entry = ring->next_submission();
      ASSERT_NE(entry, nullptr);
      entry->opcode = IORING_OP_MSG_RING;
      entry->flags = IOSQE_CQE_SKIP_SUCCESS;
      entry->fd = to;
      entry->off = 6;
      entry->user_data = 9;
      EXPECT_TRUE(ring->submit());
      EXPECT_EQ(ring->unsubmitted(), 0U);
    };
    std::atomic<int> number{-1};
    std::thread sleeper([&] {
      UringRing own;
      own.begin();
      number = own.number();
      number.notify_one();
      std::vector<std::uint64_t> names;
      while (names.empty()) {
        own.enter(20s);
        names = names_of_completed(own);
      }
      EXPECT_EQ(names, std::vector<std::uint64_t>{6});
      own.end();
    });
    number.wait(-1);
    send(number);
    sleeper.join();
    const PipeEnds pipe;
    send(pipe.out.get());  // no ring
    ring->enter(20s);
    // Kernels before 5.18 know no messages: then there is one of these for each.
    const auto failed = names_of_completed(*ring);
    ASSERT_FALSE(failed.empty());
    EXPECT_EQ(failed.back(), 9U);
  }
}
