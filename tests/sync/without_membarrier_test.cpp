// Locks and queues where membarrier(2) is forbidden, as a container's filter of system calls may: the tests run once
// more in a process that has never had it.
#include <linux/filter.h>
#include <linux/membarrier.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdlib>

#include <gtest/gtest.h>

#include <hawser/fiber/asymmetric_fence.h>

namespace {

constexpr const char* kForbidden = "HAWSER_TEST_NO_MEMBARRIER";

bool forbid_membarrier() {
  std::array<sock_filter, 4> filter = {
      sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 1),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{.len = filter.size(), .filter = filter.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

}  // namespace

TEST(without_membarrier, there_is_no_asymmetric_fence) {
  if (std::getenv(kForbidden)) {
    EXPECT_FALSE(hawser::detail::asymmetric_fences());
  } else {
    const bool have = ::syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
    EXPECT_EQ(hawser::detail::asymmetric_fences(), have);
  }
}

TEST(without_membarrier, locks_and_queues_do_the_same) {
  if (std::getenv(kForbidden)) return;  // we are that process
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::setenv(kForbidden, "1", 1);
    if (!forbid_membarrier()) ::_exit(99);
    ::execl(
        "/proc/self/exe", "test_sync", "--gtest_brief=1",
        "--gtest_filter=*LockEverywhere*:lock.*:*QueueEverywhere*:queue.*:*ConditionEverywhere*:without_membarrier.*",
        nullptr);
    ::_exit(98);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) != 99) {  // a kernel without such filters has nothing to test
    EXPECT_EQ(WEXITSTATUS(status), 0);
  }
}
