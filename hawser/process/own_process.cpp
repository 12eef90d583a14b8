#include <hawser/process/own_process.h>

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <iostream>

#include <hawser/base/log.h>
#include <hawser/fiber/switch.h>
#include <hawser/process/children.h>
#include <hawser/process/current_process.h>

#if defined(HAWSER_ASAN)
// The leak detector asks this when a process calls exit(3). In a forked child it would take for lost what only the
// threads of the parent knew of: they are not there, and neither is the stack on which start() was called.
static bool g_forked = false;
extern "C" int __lsan_is_turned_off() { return g_forked; }
#endif

namespace hawser::detail {
namespace {

// Handlers of faults belong to this process as much as to its parent: a sanitizer's, the stack overflow's.
constexpr std::array kFaults = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT};

void forget_handlers() noexcept {
  for (int signal = 1; signal < NSIG; ++signal) {
    bool fault = false;
    for (const int other : kFaults) fault = fault || other == signal;
    struct sigaction now {};
    if (fault || ::sigaction(signal, nullptr, &now) != 0) continue;
    if (!(now.sa_flags & SA_SIGINFO) && (now.sa_handler == SIG_DFL || now.sa_handler == SIG_IGN)) continue;
    struct sigaction plain {};
    plain.sa_handler = SIG_DFL;
    ::sigaction(signal, &plain, nullptr);
  }
}

void leave_standard_input() noexcept {
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (nothing < 0) return;
  ::dup2(nothing, STDIN_FILENO);
  if (nothing != STDIN_FILENO) ::close(nothing);
}

}  // namespace

void OwnProcess::end_with_parent(pid_t parent) noexcept {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
}

void OwnProcess::begin(const std::string& name, bool daemon, pid_t parent) noexcept {
#if defined(HAWSER_ASAN)
  g_forked = true;
#endif
  forget_handlers();
  leave_standard_input();
  ::prctl(PR_SET_NAME, name.c_str());
  set_current_process(name, daemon, parent);
}

OwnProcess::Ending OwnProcess::run(const std::function<void()>& work) noexcept {
  try {
    work();
    return Ending::success;
  } catch (...) {
    return failed(std::current_exception());
  }
}

OwnProcess::Ending OwnProcess::failed(const std::exception_ptr& error) noexcept {
  try {
    const std::string line = "process " + current_process().name + ": " + describe(error) + "\n";
    std::fputs(line.c_str(), stderr);
  } catch (const std::exception&) {
    std::fputs("a process failed\n", stderr);
  }
  return Ending::failure;
}

void OwnProcess::flush() noexcept {
  try {
    std::cout.flush();
    std::clog.flush();
  } catch (const std::ios_base::failure&) {
    // Somebody asked for exceptions; the stream says it again to whom it concerns.
  }
  std::fflush(stdout);
  std::fflush(stderr);
}

void OwnProcess::end(Ending ending) noexcept {
  end_children();
  flush();
  ::_exit(static_cast<int>(ending));
}

}  // namespace hawser::detail
