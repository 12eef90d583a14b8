// Which engine run() takes, and what it says where io_uring is refused. Each test sets HAWSER_ENGINE itself.
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>

#include <hawser/base/errors.h>
#include <hawser/fiber/counters.h>
#include <hawser/fiber/pollable.h>
#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>
#include <hawser/fiber/uring_ring.h>

using namespace hawser;
using namespace std::chrono_literals;

namespace {

// HAWSER_ENGINE for a scope.
class Asked {
 public:
  explicit Asked(const char* engine) : before_(::getenv("HAWSER_ENGINE") ? ::getenv("HAWSER_ENGINE") : "") {
    ::setenv("HAWSER_ENGINE", engine, 1);
  }
  Asked(const Asked&) = delete;
  Asked& operator=(const Asked&) = delete;
  ~Asked() { ::setenv("HAWSER_ENGINE", before_.c_str(), 1); }

 private:
  std::string before_;
};

std::string engine() {
  return run([] { return engine_in_use(); });
}

bool kernel_has_uring() {
  try {
    const detail::UringRing ring;
    return true;
  } catch (const SystemError&) {
    return false;
  }
}

// From now on that system call answers the error, on this thread and those it starts.
void refuse(long call, int error) {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call), 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{.len = std::size(program), .filter = program};
  ASSERT_EQ(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
  ASSERT_EQ(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter), 0);
}

// What function() returns on a thread where the call is refused.
template <class Function>
std::string where_refused(long call, int error, Function function) {
  std::string said;
  std::thread([&] {
    refuse(call, error);
    said = function();
  }).join();
  return said;
}

std::string refusal() {
  try {
    return engine();
  } catch (const SystemError& error) {
    return error.what();
  }
}

}  // namespace

TEST(engine_choice, takes_the_engine_that_is_asked_for) {
  {
    const Asked asked("epoll");
    EXPECT_EQ(engine(), "epoll (asked for by HAWSER_ENGINE)");
  }
  if (!kernel_has_uring()) return;
  const Asked asked("uring");
  EXPECT_EQ(engine(), "uring (asked for by HAWSER_ENGINE)");
}

TEST(engine_choice, auto_and_nothing_are_the_default) {
  for (const char* name : {"auto", ""}) {
    const Asked asked(name);
    EXPECT_EQ(engine(), "epoll (the default, and the faster of the two)");
  }
}

TEST(engine_choice, an_unknown_engine_is_an_error_that_names_the_known) {
  for (const std::string name : {"kqueue", "uring,", ",epoll", "uring epoll", "epoll,auto"}) {
    const Asked asked(name.c_str());
    try {
      engine();
      FAIL();
    } catch (const std::invalid_argument& error) {
      EXPECT_EQ(error.what(), "HAWSER_ENGINE=" + name + ": the engines are auto, epoll and uring");
    }
  }
}

TEST(engine_choice, takes_the_first_of_several_that_is_to_be_had) {
  if (!kernel_has_uring()) return;
  {
    const Asked asked("uring,epoll");
    EXPECT_EQ(engine(), "uring (asked for by HAWSER_ENGINE)");
  }
  const Asked asked("epoll,uring");
  EXPECT_EQ(engine(), "epoll (asked for by HAWSER_ENGINE)");
}

TEST(engine_choice, goes_on_with_epoll_where_a_filter_refuses_io_uring) {
  const Asked asked("uring,epoll");
  EXPECT_EQ(where_refused(SYS_io_uring_setup, EPERM, engine).substr(0, 22), "epoll (io_uring_setup:");
  EXPECT_EQ(where_refused(SYS_io_uring_setup, ENOSYS, engine), "epoll (io_uring_setup: Function not implemented)");
  EXPECT_EQ(where_refused(SYS_io_uring_setup, ENOMEM, engine), "epoll (io_uring_setup: Cannot allocate memory)");
}

TEST(engine_choice, goes_on_with_epoll_where_only_part_of_io_uring_is_let_through) {
  if (!kernel_has_uring()) return;
  const Asked asked("uring,epoll");
  EXPECT_EQ(where_refused(SYS_io_uring_enter, EPERM, engine), "epoll (io_uring_enter: Operation not permitted)");
  EXPECT_EQ(where_refused(SYS_io_uring_register, EPERM, engine), "epoll (io_uring_register: Operation not permitted)");
}

TEST(engine_choice, uring_by_name_says_why_it_is_not_to_be_had) {
  const Asked asked("uring");
  EXPECT_EQ(where_refused(SYS_io_uring_setup, ENOSYS, refusal),
            "HAWSER_ENGINE=uring: io_uring_setup: Function not implemented");
}

TEST(engine_choice, may_change_between_runs_under_a_descriptor_that_stays) {
  if (!kernel_has_uring()) return;
  int fds[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
  Pollable reading{UniqueFd(fds[0])}, writing{UniqueFd(fds[1])};
  const std::string name = "pair";
  for (int i = 0; i < 20; ++i) {
    const Asked asked(i % 3 ? "uring" : "epoll");
    const auto round = [&] {
      run({.loops = 1 + i % 2}, [&] {
        auto reader = spawn_on(i % 2, [&] {
          Pollable::Use use(reading, Direction::read, "read", name);
          char c = 0;
          while (::read(use.fd(), &c, 1) < 0) {
            use.drained();
            EXPECT_EQ(use.wait(Expiry::never()), Wake::ready);
          }
          return c;
        });
        yield();
        const char sent = static_cast<char>('a' + i);
        EXPECT_EQ(::write(writing.fd(), &sent, 1), 1);
        EXPECT_EQ(reader.get(), sent);
      });
    };
    if (i % 5 == 0) {
      std::thread(round).join();
    } else {
      round();
    }
  }
}

// The eventfd that every other thread rings would do as well, at twice the price.
TEST(engine_choice, rings_wake_each_other_by_message) {
  if (!kernel_has_uring()) return;
  const Asked asked("uring");
  const auto submits = [] { return runtime_counters().total.submits; };
  run({.loops = 2}, [&] {
    spawn_on(1, [] {}).join();
    const std::uint64_t wanted = submits() + 10;
    for (int round = 0; round < 2000 && submits() < wanted; ++round) {
      sleep(1ms);  // both fall asleep; only messages between them are handed to the kernel here
      spawn_on(1, [] {}).join();
    }
    EXPECT_GE(submits(), wanted);
  });
}
