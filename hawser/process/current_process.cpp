#include <hawser/process/current_process.h>

#include <sched.h>
#include <unistd.h>

#include <exception>
#include <mutex>
#include <thread>

#include <hawser/base/fork.h>
#include <hawser/base/made_once.h>

namespace hawser {
namespace {

// As noted when this process began; pid tells whether a plain fork(2) lies between.
struct Own {
  Own() { detail::hold_over_fork(mutex, detail::ForkOrder::inner, nullptr, nullptr); }

  std::mutex mutex;
  ProcessInfo info;
};

constinit detail::MadeOnce<Own> g_own;
[[maybe_unused]] const bool g_made_early = (g_own.get(), true);

}  // namespace

ProcessInfo current_process() {
  Own& noted = g_own.get();
  const std::lock_guard hold(noted.mutex);
  const pid_t pid = ::getpid();
  if (noted.info.pid == pid) return noted.info;
  return {.pid = pid, .parent_pid = ::getppid(), .name = "main", .daemon = false};
}

std::size_t cpu_count() noexcept {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) == 0) return static_cast<std::size_t>(CPU_COUNT(&set));
  const unsigned all = std::thread::hardware_concurrency();  // more processors than the set has room for
  return all ? all : 1;
}

void detail::set_current_process(const std::string& name, bool daemon, pid_t parent) noexcept {
  Own& noted = g_own.get();
  const std::lock_guard hold(noted.mutex);
  noted.info.pid = ::getpid();
  noted.info.parent_pid = parent;
  noted.info.daemon = daemon;
  try {
    noted.info.name = name;
  } catch (const std::exception&) {
    noted.info.name.clear();  // no memory for a name
  }
}

}  // namespace hawser
