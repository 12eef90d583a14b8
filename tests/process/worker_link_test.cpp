// The pool's end of one worker, without a pool: what was sent ahead comes back, whatever the worker has heard of.
#include <hawser/process/worker_link.h>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <hawser/base/fd.h>
#include <hawser/process/pool_task.h>

namespace hawser::detail {
namespace {

constexpr int kPatienceMs = 30'000;

// Says on one descriptor that it runs, and ends when a byte comes on the other: paths, for the worker shares nothing.
int hold_up(const std::string& fifo_out, const std::string& fifo_in) {
  { const UniqueFd tell(::open(fifo_out.c_str(), O_WRONLY | O_CLOEXEC)); }
  { const UniqueFd wait(::open(fifo_in.c_str(), O_RDONLY | O_CLOEXEC)); }
  return 1;
}
int same(int number) { return number; }

// A name in the file system at which two processes meet: open() waits for the other end.
struct Meeting {
  explicit Meeting(const std::string& name) : path(::testing::TempDir() + name + "_" + std::to_string(::getpid())) {
    EXPECT_EQ(::mkfifo(path.c_str(), 0600), 0);
  }
  Meeting(const Meeting&) = delete;
  Meeting& operator=(const Meeting&) = delete;
  ~Meeting() { ::unlink(path.c_str()); }
  std::string path;
};

template <class R, class... P, class... A>
std::pair<std::unique_ptr<PoolTask>, Future<R>> task(R (*function)(P...), A&&... arguments) {
  auto made = task_for(function);
  made->message = make_call(function, std::forward<A>(arguments)...);
  Future<R> future = made->promise.future();
  EXPECT_TRUE(made->begin());
  return {std::move(made), future};
}

// Listens until it is ready, or so many tasks have come to their end.
std::vector<Outcome> hear(WorkerLink& link, std::size_t count) {
  std::vector<Outcome> outcomes;
  while (count == 0 ? link.state() == WorkerLink::State::starting : outcomes.size() < count) {
    pollfd socket{.fd = link.socket(), .events = POLLIN, .revents = 0};
    if (::poll(&socket, 1, kPatienceMs) != 1) {
      ADD_FAILURE() << "the worker says nothing";
      break;
    }
    if (link.listen(outcomes) == WorkerLink::Heard::end) break;
  }
  return outcomes;
}

TEST(worker_link, what_waits_behind_a_long_call_comes_back_again_and_again) {
  const Meeting runs("runs");
  const Meeting ends("ends");
  WorkerLink link("worker", 1 << 20, "");
  hear(link, 0);
  ASSERT_EQ(link.state(), WorkerLink::State::ready);

  auto held = task(hold_up, runs.path, ends.path);
  auto first = task(same, 1);
  link.give(std::move(held.first));
  link.give(std::move(first.first));
  link.flush();
  { const UniqueFd met(::open(runs.path.c_str(), O_RDONLY | O_CLOEXEC)); }  // it runs

  // The worker hears of nothing meanwhile.
  for (int round = 0; round < 100; ++round) {
    auto back = link.take_back();
    ASSERT_EQ(back.size(), 1U) << "round " << round;
    EXPECT_TRUE(link.take_back().empty());
    link.give(std::move(back.front()));
    link.flush();
  }
  EXPECT_EQ(link.in_flight(), 2U);
  auto back = link.take_back();
  ASSERT_EQ(back.size(), 1U);
  auto second = task(same, 2);
  link.give(std::move(second.first));
  link.flush();

  { const UniqueFd met(::open(ends.path.c_str(), O_WRONLY | O_CLOEXEC)); }
  auto outcomes = hear(link, 2);
  ASSERT_EQ(outcomes.size(), 2U);
  for (Outcome& outcome : outcomes) outcome.task->succeed(outcome.result);
  EXPECT_EQ(held.second.result(), 1);
  EXPECT_EQ(second.second.result(), 2);
  EXPECT_EQ(link.in_flight(), 0U);
  EXPECT_EQ(link.given(), 2U);

  // What came back was never begun there, and may be given once more.
  EXPECT_FALSE(first.second.done());
  link.give(std::move(back.front()));
  link.flush();
  outcomes = hear(link, 1);
  ASSERT_EQ(outcomes.size(), 1U);
  outcomes[0].task->succeed(outcomes[0].result);
  EXPECT_EQ(first.second.result(), 1);
  link.retire();
}

}  // namespace
}  // namespace hawser::detail
