// The kernel refuses threads: whoever asked for one hears what was refused, may ask again, and what can go on without
// goes on.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <hawser/fiber/dump.h>
#include <hawser/fiber/fork.h>
#include <hawser/fiber/offload.h>
#include <hawser/fiber/task_group.h>
#include <hawser/fiber/watchdog.h>
#include <hawser/net/connect.h>
#include <hawser/net/resolver.h>
#include <hawser/process/process.h>
#include <hawser/process/process_pool.h>
#include <hawser/serve/tcp_servers.h>
#include <hawser/task/thread.h>
#include <hawser/task/thread_pool.h>
#include <hawser/task/timer.h>

#include "weather.h"

namespace hawser {
namespace {

using namespace testing;

class ThreadFaults : public ::testing::Test {
 protected:
  void SetUp() override {
    set_log_sink([](LogLevel, std::string_view) {});
    stop_watchdog();  // which debug builds would start by themselves
  }
};

// What is said when the nth thread from here on is refused; empty when nothing is thrown.
template <class Body>
std::string refused(std::uint64_t nth, Body&& body) {
  const FaultInjection faults({{.call = SystemCall::thread_create, .error = EAGAIN, .nth = nth}});
  std::string said;
  try {
    body();
  } catch (const SystemError& error) {
    EXPECT_EQ(error.code(), std::errc::resource_unavailable_try_again);
    said = error.what();
  }
  EXPECT_EQ(faults.struck(), 1U);
  return said;
}

FaultInjection no_threads() { return FaultInjection({{SystemCall::thread_create, EAGAIN, 1.0}}); }

// In a forked child, which has none of the threads that are kept once they are there.
void in_fresh_process(const std::function<void()>& body) {
  const pid_t child = fork_process();
  if (child == 0) {
    try {
      body();
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
    std::fflush(stdout);
    ::_exit(::testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

TEST_F(ThreadFaults, a_loop_without_a_thread_is_an_error_of_run) {
  const auto three = [] { return run({.loops = 3}, [] { return spawn_on(2, [] { return loop_index(); }).get(); }); };
  EXPECT_EQ(three(), 2);
  const Ledger before;
  for (int round = 0; round < kRounds; ++round) {
    bool begun = false;
    EXPECT_EQ(refused(1, [&] { run({.loops = 3}, [&] { begun = true; }); }),
              "start thread of loop 1: Resource temporarily unavailable");
    EXPECT_EQ(refused(2, [&] { run({.loops = 3}, [&] { begun = true; }); }),
              "start thread of loop 2: Resource temporarily unavailable");
    EXPECT_FALSE(begun);
    EXPECT_EQ(three(), 2);
  }
  before.expect_the_same();
}

TEST_F(ThreadFaults, one_loop_needs_no_thread) {
  const FaultInjection faults = no_threads();
  EXPECT_EQ(run([] { return spawn([] { return 7; }).get(); }), 7);
}

TEST_F(ThreadFaults, a_thread_that_was_refused_may_be_started_again) {
  const auto held = std::make_shared<int>(7);
  int got = 0;
  Thread thread([&got, held] { got = *held; }, {.name = "worker"});
  const std::size_t before = active_count();
  EXPECT_EQ(refused(1, [&] { thread.start(); }), "start thread worker: Resource temporarily unavailable");
  EXPECT_FALSE(thread.is_alive());
  EXPECT_EQ(active_count(), before);
  EXPECT_THROW(thread.join(), std::logic_error);
  thread.start();
  thread.join();
  EXPECT_EQ(got, 7);
  EXPECT_EQ(held.use_count(), 1);
}

class Counting : public Thread {
 public:
  explicit Counting(int& count) : count_(count) {}
  ~Counting() override { finish(); }
  void run() override { ++count_; }

 private:
  int& count_;
};

TEST_F(ThreadFaults, a_refused_thread_with_a_run_of_its_own_goes_in_peace) {
  int count = 0;
  {
    Counting never(count);
    EXPECT_NE(refused(1, [&] { never.start(); }), "");
  }
  EXPECT_EQ(count, 0);
  Counting later(count);
  EXPECT_NE(refused(1, [&] { later.start(); }), "");
  later.start();
  later.join();
  EXPECT_EQ(count, 1);
}

TEST_F(ThreadFaults, a_timer_that_was_refused_may_be_started_again) {
  std::atomic<int> calls{0};
  Timer timer(1ms, [&] { ++calls; });
  EXPECT_EQ(refused(1, [&] { timer.start(); }), "start thread timer: Resource temporarily unavailable");
  EXPECT_FALSE(timer.finished());
  timer.start();
  EXPECT_TRUE(timer.join());
  EXPECT_EQ(calls.load(), 1);
  RepeatingTimer never(1ms, [&] { ++calls; });
  EXPECT_NE(refused(1, [&] { never.start(); }), "");
}

TEST_F(ThreadFaults, a_pool_without_a_thread_says_so_and_is_asked_again) {
  ThreadPool pool(2, {.name = "few", .max_queued = 1});
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(refused(1, [&] { pool.submit([] {}); }),
              "start thread few-" + std::to_string(round) + ": Resource temporarily unavailable");
  }
  EXPECT_EQ(pool.submit([] { return 7; }).result(), 7);
}

TEST_F(ThreadFaults, a_pool_goes_on_with_the_threads_it_has) {
  ThreadPool pool(4);
  EXPECT_EQ(pool.submit([] { return 7; }).result(), 7);
  const FaultInjection faults = no_threads();
  std::vector<Future<int>> futures;
  for (int i = 0; i < 100; ++i) {
    futures.push_back(pool.submit([i] {
      std::this_thread::yield();
      return i;
    }));
  }
  for (int i = 0; i < 100; ++i) EXPECT_EQ(futures[static_cast<std::size_t>(i)].result(), i);
}

// What it waits for is behind work that no other thread is to be had for.
TEST_F(ThreadFaults, a_worker_that_waits_does_the_work_when_nobody_else_can) {
  ThreadPool pool(1);
  EXPECT_EQ(pool.submit([] { return 7; }).result(), 7);
  const FaultInjection faults = no_threads();
  const auto nested = [&pool](auto&& self, int depth) -> int {
    if (depth == 0) return 1;
    Future<int> inner = pool.submit([&self, depth] { return self(self, depth - 1); });
    return inner.then([](int got) { return got + 1; }).result();
  };
  EXPECT_EQ(pool.submit([&] { return nested(nested, 5); }).result(), 6);
  EXPECT_GT(faults.struck(), 0U);
}

// A submit may rely on the thread that another one is just about to start, and does not get.
TEST_F(ThreadFaults, no_work_is_left_behind_when_several_submit_and_threads_are_refused) {
  for (int round = 0; round < 20 * kRounds; ++round) {
    const FaultInjection faults({{SystemCall::thread_create, EAGAIN, 0.5}}, static_cast<std::uint64_t>(round));
    ThreadPool pool(2);
    std::atomic<int> ends{0};
    std::vector<std::thread> submitters;
    for (int i = 0; i < 3; ++i) {
      submitters.emplace_back([&] {
        std::optional<Future<int>> future;
        try {
          future = pool.submit([] { return 7; });
          EXPECT_EQ(future->result(), 7);
        } catch (const SystemError& error) {
          EXPECT_EQ(error.error_number(), EAGAIN);
        }
        ++ends;
      });
    }
    for (std::thread& thread : submitters) thread.join();
    EXPECT_EQ(ends.load(), 3);
  }
}

TEST_F(ThreadFaults, offload_without_a_thread_is_an_error_and_with_one_goes_on) {
  in_fresh_process([] {
    run([] {
      EXPECT_EQ(refused(1, [] { offload([] {}); }), "start thread of offload: Resource temporarily unavailable");
      EXPECT_EQ(offload([] { return 7; }), 7);
      const FaultInjection faults = no_threads();
      TaskGroup group;
      group.spawn([&] {
        offload([&] {  // busy until somebody wanted another
          while (faults.struck() == 0) std::this_thread::yield();
        });
      });
      for (int i = 0; i < 10; ++i) group.spawn([i] { EXPECT_EQ(offload([i] { return i; }), i); });
      group.join();
    });
  });
}

TEST_F(ThreadFaults, resolve_without_a_thread_is_an_error_and_with_one_goes_on) {
  in_fresh_process([] {
    const auto look_up = [] { static_cast<void>(resolve({"localhost", 80})); };
    EXPECT_EQ(refused(1, look_up), "start thread of the resolver: Resource temporarily unavailable");
    look_up();
    const FaultInjection faults = no_threads();
    std::vector<std::thread> askers;
    for (int i = 0; i < 4; ++i) askers.emplace_back(look_up);
    for (std::thread& asker : askers) asker.join();
  });
}

TEST_F(ThreadFaults, what_watches_and_dumps_says_that_it_cannot) {
  in_fresh_process([] {
    EXPECT_EQ(refused(1, [] { start_watchdog(); }), "start thread of the watchdog: Resource temporarily unavailable");
    start_watchdog();
    stop_watchdog();
    const auto ask = [] { dump_fibers_on(SIGUSR2); };
    EXPECT_EQ(refused(1, ask), "start thread of dump_fibers_on: Resource temporarily unavailable");
    struct sigaction now {};
    ::sigaction(SIGUSR2, nullptr, &now);
    EXPECT_EQ(now.sa_handler, SIG_DFL);
    ask();
  });
}

// The watchdog that debug builds start by themselves is no reason not to run.
TEST_F(ThreadFaults, a_run_that_nobody_can_watch_is_a_run) {
  in_fresh_process([] {
    const FaultInjection faults = no_threads();
    EXPECT_EQ(run([] { return 7; }), 7);
  });
}

void echo(Socket& peer) {
  while (const Bytes data = peer.recv(100)) peer.send_all(data);
}

// What comes back to a client of an echo server; empty when its talk was ended.
std::string talk(const Address& to) {
  Socket client = connect(to);
  try {
    client.send_all("x");
    client.shutdown_write();
    return read_to_end(client);
  } catch (const SystemError& error) {
    EXPECT_TRUE(error.error_number() == ECONNRESET || error.error_number() == EPIPE || error.error_number() == ENOTCONN)
        << error.what();
    return "";
  }
}

TEST_F(ThreadFaults, a_server_that_nobody_could_stop_does_not_serve) {
  TcpServer server({"127.0.0.1", 0}, echo, {.timeout = 1ms});
  const std::string words = "start thread of a server's stop: Resource temporarily unavailable";
  EXPECT_EQ(refused(1, [&] { server.handle_request(); }), words);
  EXPECT_FALSE(server.handle_request());
  EXPECT_EQ(refused(1, [&] { server.serve_forever(); }), words);
  EXPECT_TRUE(server.wait_stopped());
  server.server_close();
}

TEST_F(ThreadFaults, a_threading_server_lives_on_when_no_thread_is_to_be_had) {
  std::string reported;
  std::string whose;
  ServerOptions options{.max_connections = 1};
  options.handle_error = [&](const std::exception_ptr& error, Socket& peer) {
    whose = peer.peer();
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& thrown) {
      reported = thrown.what();
    }
  };
  run([&] {
    ThreadingTcpServer server({"127.0.0.1", 0}, echo, std::move(options));
    auto serving = spawn([&] { server.serve_forever(); });
    for (int round = 0; round < kRounds; ++round) {
      EXPECT_EQ(talk(server.address()), "x");
      {
        const FaultInjection faults({{.call = SystemCall::thread_create, .error = EAGAIN, .nth = 1}});
        EXPECT_EQ(talk(server.address()), "");
      }
      EXPECT_EQ(reported, "start thread for a request: Resource temporarily unavailable");
      EXPECT_TRUE(whose.starts_with("127.0.0.1:")) << whose;
      EXPECT_EQ(talk(server.address()), "x");
    }
    server.request_stop();
    serving.get();
    EXPECT_EQ(server.connections(), 0U);
  });
}

TEST_F(ThreadFaults, a_forking_server_lives_on_when_nobody_could_reap) {
  run([&] {
    ForkingTcpServer server({"127.0.0.1", 0}, echo);
    auto serving = spawn([&] { server.serve_forever(); });
    {
      const FaultInjection faults({{.call = SystemCall::thread_create, .error = EAGAIN, .nth = 1}});
      EXPECT_EQ(talk(server.address()), "");
      EXPECT_EQ(faults.struck(), 1U);
    }
    for (int round = 0; round < kRounds; ++round) {
      const FaultInjection faults({{SystemCall::waitid, EINTR, 0.5}, {SystemCall::poll, EINTR, 0.5}});
      EXPECT_EQ(talk(server.address()), "x");
    }
    server.request_stop();
    serving.get();
  });
}

int seven() { return 7; }
void leave_with_seven() { ::_exit(7); }

TEST_F(ThreadFaults, a_process_that_nobody_could_start_may_be_started_again) {
  in_fresh_process([] {
    for (const ProcessStart how : {ProcessStart::forked, ProcessStart::afresh}) {
      Process process(&leave_with_seven, {.name = "child", .start = how});
      if (how == ProcessStart::forked) {
        EXPECT_EQ(refused(1, [&] { process.start(); }),
                  "start thread that starts processes: Resource temporarily unavailable");
        EXPECT_FALSE(process.pid());
      }
      process.start();
      EXPECT_TRUE(process.join());
      EXPECT_EQ(process.exit_code(), 7);
    }
  });
}

TEST_F(ThreadFaults, a_process_pool_without_its_thread_is_not_made) {
  const Ledger before;
  EXPECT_EQ(refused(1, [] { const ProcessPool pool(1, {.name = "few"}); }),
            "start thread of process pool 'few': Resource temporarily unavailable");
  before.expect_the_same();
}

// Fibers wait by threads of their own for what a thread must wait for; without one the loop stands still that long.
TEST_F(ThreadFaults, ends_are_waited_for_without_a_thread_too) {
  run([] {
    std::optional<ProcessPool> pool(std::in_place, 1);
    EXPECT_EQ(pool->submit(seven).result(), 7);
    std::optional<Process> process(std::in_place, [] { ::usleep(1000); });
    process->start();
    const FaultInjection faults = no_threads();
    pool.reset();
    process.reset();
    EXPECT_GT(faults.struck(), 0U);
  });
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
}

}  // namespace
}  // namespace hawser
