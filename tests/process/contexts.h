// Runs a test body as a fiber and on a plain thread: child processes must not know the difference.
#pragma once

#include <dirent.h>
#include <sys/wait.h>

#include <cerrno>
#include <functional>
#include <string>

#include <gtest/gtest.h>

#include <hawser/fiber/run.h>
#include <hawser/fiber/waiter.h>

namespace hawser::testing {

enum class Place { fiber, thread };

inline void run_in(Place place, const std::function<void()>& body) {
  if (place == Place::thread) return body();
  run([&] { body(); });
}

class InBoth : public ::testing::TestWithParam<Place> {};

#define HAWSER_IN_BOTH(suite)                                                               \
  INSTANTIATE_TEST_SUITE_P(in, suite, ::testing::Values(Place::fiber, Place::thread),       \
                           [](const ::testing::TestParamInfo<Place>& info) -> std::string { \
                             return info.param == Place::fiber ? "fiber" : "thread";        \
                           })

// Each of them starts a process.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr int kRounds = 200;
#else
inline constexpr int kRounds = 1000;
#endif

// True when this process has no child, dead or alive.
inline bool no_children() { return ::waitpid(-1, nullptr, WNOHANG | __WALL) == -1 && errno == ECHILD; }

// Once this thread has the bell that it would keep after the first wait for a descriptor.
inline int open_descriptors() {
  Waiter("count").use_bell();
  int count = 0;
  DIR* directory = ::opendir("/proc/self/fd");
  while (::readdir(directory)) ++count;
  ::closedir(directory);
  return count;
}

// True while a process of this number exists that is not a zombie.
bool is_running(int pid);

}  // namespace hawser::testing
