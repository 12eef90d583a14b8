// Waking a thread that sleeps in its ring, from another one: what each way costs, with nothing of ours around it.
//
//   wake_shapes [ROUNDS]
//
//   eventfd        write(2) to an eventfd that the sleeper's ring polls (multishot)
//   msg-ring       IORING_OP_MSG_RING through the waker's own ring into the sleeper's, handed over at once, as it must
//                  be where the waker has other things to do before it sleeps
//   msg-ring late  the same, handed over with the waker's own sleep: a system call less
//
// Two threads wake each other in turn. Prints the wake-ups and their nanoseconds, one way, and the CPU time of both
// threads for one.
#include <liburing.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <thread>

namespace {

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

struct Side {
  io_uring ring{};
  int bell = -1;
};

enum class Shape { bell, message_at_once, message_late };

constexpr std::uint64_t kWoken = 1;
constexpr std::uint64_t kSent = 2;

// On the thread that will use it: a ring with one issuer.
void open_ring(Side& side) {
  io_uring_params parameters{};
  parameters.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
  if ((errno = -io_uring_queue_init_params(64, &side.ring, &parameters))) die("io_uring_queue_init");
}

io_uring_sqe& entry(Side& side, std::uint64_t event) {
  io_uring_sqe* sqe = io_uring_get_sqe(&side.ring);
  if (!sqe) die("io_uring_get_sqe");
  io_uring_sqe_set_data64(sqe, event);
  return *sqe;
}

void watch_bell(Side& side) {
  io_uring_sqe& sqe = entry(side, kWoken);
  io_uring_prep_poll_multishot(&sqe, side.bell, POLLIN);
  sqe.user_data = kWoken;
}

void sleep_until_woken(Side& self) {
  for (bool woken = false; !woken;) {
    io_uring_submit_and_wait(&self.ring, 1);
    io_uring_cqe* cqe = nullptr;
    unsigned head = 0;
    unsigned seen = 0;
    io_uring_for_each_cqe(&self.ring, head, cqe) {
      ++seen;
      if (cqe->user_data != kWoken) continue;
      woken = true;
      if (self.bell >= 0 && !(cqe->flags & IORING_CQE_F_MORE)) watch_bell(self);
    }
    io_uring_cq_advance(&self.ring, seen);
  }
}

void wake(Side& self, Side& other, Shape shape) {
  if (shape == Shape::bell) {
    const std::uint64_t one = 1;
    if (::write(other.bell, &one, sizeof one) != sizeof one) die("write");
    return;
  }
  io_uring_sqe& sqe = entry(self, kSent);
  io_uring_prep_msg_ring(&sqe, other.ring.ring_fd, 0, kWoken, 0);
  sqe.user_data = kSent;
  if (shape == Shape::message_at_once && io_uring_submit(&self.ring) != 1) die("io_uring_submit");
}

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

void measure(const char* name, Shape shape, int rounds) {
  Side sides[2];
  const bool by_bell = shape == Shape::bell;
  if (by_bell) {
    for (Side& side : sides)
      if ((side.bell = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0) die("eventfd");
  }
  open_ring(sides[0]);
  if (by_bell) watch_bell(sides[0]);
  std::thread second([&] {
    open_ring(sides[1]);
    if (by_bell) watch_bell(sides[1]);
    for (int i = 0; i < rounds; ++i) {
      wake(sides[1], sides[0], shape);
      sleep_until_woken(sides[1]);
    }
  });
  sleep_until_woken(sides[0]);
  const double cpu_before = cpu_seconds();
  const auto start = std::chrono::steady_clock::now();
  for (int i = 1; i < rounds; ++i) {
    wake(sides[0], sides[1], shape);
    sleep_until_woken(sides[0]);
  }
  const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const double cpu = cpu_seconds() - cpu_before;
  wake(sides[0], sides[1], shape);
  io_uring_submit(&sides[0].ring);
  second.join();
  const double wakes = 2.0 * (rounds - 1);
  std::printf("%s\t%.0f ns\t%.0f ns of CPU\n", name, took / wakes * 1e9, cpu / wakes * 1e9);
  for (Side& side : sides) {
    io_uring_queue_exit(&side.ring);
    if (side.bell >= 0) ::close(side.bell);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 100'000;
  if (rounds < 2) die("ROUNDS");
  for (int run = 0; run < 3; ++run) {
    measure("eventfd", Shape::bell, rounds);
    measure("msg-ring", Shape::message_at_once, rounds);
    measure("msg-ring late", Shape::message_late, rounds);
  }
}
