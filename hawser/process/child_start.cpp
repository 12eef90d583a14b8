#include <hawser/process/child_start.h>

#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>

#include <hawser/base/errors.h>
#include <hawser/base/system_calls.h>

// The child runs in the parent's memory: sanitizers must neither track nor instrument it.
#define HAWSER_CHILD_SIDE __attribute__((no_sanitize("address", "thread", "undefined"), noinline))

#ifdef __SANITIZE_THREAD__
// The same function under the name that the thread sanitizer doesn't replace: it takes every clone(2) for a fork, and
// would make the memory that parent and child share that of a forked child.
extern "C" int __clone(int (*entry)(void*), void* stack, int flags, void* argument, ...) noexcept;
#define HAWSER_CLONE __clone
#else
#define HAWSER_CLONE ::clone
#endif

namespace hawser::detail {
namespace {

constexpr std::size_t kChildStackBytes = std::size_t{32} * 1024;
constexpr const char* kDefaultPath = "/usr/local/bin:/usr/bin:/bin";
constexpr int kSignals = 64;
constexpr std::size_t kSignalSetBytes = 8;

// What rt_sigaction(2) takes, which is not what sigaction(3) takes. All zero is the default disposition.
struct KernelAction {
  std::uintptr_t handler = 0;
  unsigned long flags = 0;
  std::uintptr_t restorer = 0;
  std::uint64_t mask = 0;
};

void refuse_nul(const std::string& text, const char* what) {
  if (text.find('\0') != std::string::npos) throw std::invalid_argument(std::string("NUL character in ") + what);
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  all.reserve(texts.size() + 1);
  for (std::string& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

// No signal handler may run in the child, where it would work on the parent's memory.
class AllSignalsBlocked {
 public:
  AllSignalsBlocked() {
    const std::uint64_t all = ~std::uint64_t{0};
    ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before_, kSignalSetBytes);
  }
  AllSignalsBlocked(const AllSignalsBlocked&) = delete;
  AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;
  ~AllSignalsBlocked() { ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before_, nullptr, kSignalSetBytes); }

 private:
  std::uint64_t before_ = 0;
};

}  // namespace

ChildStart::ChildStart(const Command& command, const PopenOptions& options)
    : arguments_(command.argv),
      cwd_(options.cwd),
      cwd_fd_(options.cwd_fd),
      group_(options.terminal ? ProcessGroup::session : options.group) {
  if (arguments_.empty() || arguments_.front().empty()) throw std::invalid_argument("empty command");
  program_ = arguments_.front();
  for (const std::string& argument : arguments_) refuse_nul(argument, "an argument of a command");
  refuse_nul(cwd_, "the directory of a command");
  for (const int fd : options.keep_fds) {
    if (fd > STDERR_FILENO) place(fd, fd);
    if (fd < 0) throw std::invalid_argument("keep_fds: not a descriptor: " + std::to_string(fd));
  }
  for (const auto& [number, fd] : options.map_fds) {
    if (number <= STDERR_FILENO || fd < 0) {
      throw std::invalid_argument("map_fds: " + std::to_string(fd) + " as " + std::to_string(number));
    }
    place(fd, number);
  }

  Environment environment = options.env ? *options.env : current_environment();
  for (const auto& [name, value] : options.add_env) environment.insert_or_assign(name, value);
  for (const auto& [name, value] : environment) {
    refuse_nul(name, "the name of a variable");
    refuse_nul(value, "the value of a variable");
    if (name.empty() || name.find('=') != std::string::npos) {
      throw std::invalid_argument("bad name of a variable: '" + name + "'");
    }
    variables_.push_back(name + "=" + value);
  }
  make_candidates(&environment);
  argv_ = pointers(arguments_);
  envp_ = pointers(variables_);
}

void ChildStart::set_stream(int which, int fd) {
  if (fd >= 0) place(fd, which);
}

void ChildStart::place(int from, int to) {
  const auto at = std::lower_bound(placements_.begin(), placements_.end(), to,
                                   [](const Placement& placement, int number) { return placement.to < number; });
  const Placement placement{from, to};
  if (at == placements_.end() || at->to != to) {
    placements_.insert(at, placement);
  } else if (*at != placement) {
    throw std::invalid_argument("two descriptors for the number " + std::to_string(to) + " of a child");
  }
}

void ChildStart::make_candidates(const Environment* environment) {
  if (program_.find('/') != std::string::npos) {
    candidates_.push_back(program_);
    return;
  }
  const auto path = environment->find(std::string_view("PATH"));
  std::string_view rest = path == environment->end() ? kDefaultPath : std::string_view(path->second);
  for (;;) {
    const auto colon = rest.find(':');
    const std::string_view directory = rest.substr(0, colon);
    candidates_.push_back((directory.empty() ? "." : std::string(directory)) + "/" + program_);
    if (colon == std::string_view::npos) return;
    rest.remove_prefix(colon + 1);
  }
}

ChildStart::Child ChildStart::run() {
  const auto stack = std::make_unique_for_overwrite<std::byte[]>(kChildStackBytes);
  const auto top = reinterpret_cast<std::uintptr_t>(stack.get() + kChildStackBytes) & ~std::uintptr_t{63};
  Child child;
  int pidfd = -1;
  int clone_error = 0;
  {
    const AllSignalsBlocked blocked;
    child.pid = detail::sys::clone_fails() ? -1
                                           : HAWSER_CLONE(&ChildStart::enter, reinterpret_cast<void*>(top),
                                                          CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, this, &pidfd);
    clone_error = errno;
  }
  if (child.pid < 0) throw SystemError(clone_error, "start", program_);
  child.pidfd.reset(pidfd);
  if (pidfd < 0) {  // a kernel before 5.2 knows no CLONE_PIDFD and has made a child all the same
    ::kill(child.pid, SIGKILL);
    while (::waitpid(child.pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    throw SystemError(ENOSYS, "get a pidfd of", program_);
  }
  if (failed_ != ChildStep::none) {
    siginfo_t info{};
    while (::waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(pidfd), &info, WEXITED) != 0 && errno == EINTR) {
    }
    fail(failed_, error_);
  }
  return child;
}

void ChildStart::fail(ChildStep step, int error) const {
  switch (step) {
    case ChildStep::directory:
      throw SystemError(error, "change to directory", cwd_.empty() ? "of descriptor " + std::to_string(cwd_fd_) : cwd_);
    case ChildStep::group:
      throw SystemError(error, "set the process group of", program_);
    case ChildStep::terminal:
      throw SystemError(error, "give a terminal to", program_);
    case ChildStep::streams:
      throw SystemError(error, "pass descriptor " + std::to_string(failed_fd_) + " to", program_);
    case ChildStep::descriptors:
      throw SystemError(error, "close the descriptors of", program_);
    case ChildStep::none:
    case ChildStep::exec:
      break;
  }
  throw SystemError(error, "execute", program_);
}

HAWSER_CHILD_SIDE int ChildStart::enter(void* self) noexcept {
  static_cast<ChildStart*>(self)->become();
  ::syscall(SYS_exit_group, 127);
  return 127;
}

HAWSER_CHILD_SIDE void ChildStart::become() noexcept {
  const auto stop = [this](ChildStep step) __attribute__((no_sanitize("address", "thread", "undefined"))) {
    error_ = errno;
    failed_ = step;
  };
  const KernelAction action;
  for (int signal = 1; signal <= kSignals; ++signal) {
    ::syscall(SYS_rt_sigaction, signal, &action, nullptr, kSignalSetBytes);
  }
  if (group_ == ProcessGroup::session && ::syscall(SYS_setsid) < 0) return stop(ChildStep::group);
  if (group_ == ProcessGroup::own && ::syscall(SYS_setpgid, 0, 0) != 0) return stop(ChildStep::group);
  if (cwd_fd_ >= 0 && ::syscall(SYS_fchdir, cwd_fd_) != 0) return stop(ChildStep::directory);
  if (!cwd_.empty() && ::syscall(SYS_chdir, cwd_.c_str()) != 0) return stop(ChildStep::directory);
  // Before the descriptors change places.
  if (terminal_ >= 0 && ::syscall(SYS_ioctl, terminal_, TIOCSCTTY, 0L) != 0) return stop(ChildStep::terminal);
  if (!place_descriptors()) return stop(ChildStep::streams);
  if (!close_others()) return stop(ChildStep::descriptors);
  const std::uint64_t none = 0;
  ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, kSignalSetBytes);
  exec();
  stop(ChildStep::exec);
}

// A source whose number another descriptor is to get is moved out of the way first: it would be overwritten.
HAWSER_CHILD_SIDE bool ChildStart::place_descriptors() noexcept {
  const std::size_t count = placements_.size();
  for (std::size_t i = 0; i < count; ++i) {
    Placement& each = placements_[i];
    failed_fd_ = each.from;
    if (each.from == each.to) continue;
    bool in_the_way = false;
    for (std::size_t other = 0; other < count; ++other) in_the_way |= placements_[other].to == each.from;
    if (!in_the_way) continue;
    const long above = std::max(placements_[count - 1].to, STDERR_FILENO) + 1;
    const auto moved = ::syscall(SYS_fcntl, each.from, F_DUPFD_CLOEXEC, above);
    if (moved < 0) return false;
    each.from = static_cast<int>(moved);
  }
  for (std::size_t i = 0; i < count; ++i) {
    const Placement& each = placements_[i];
    if (each.from != each.to) {
      if (::syscall(SYS_dup3, each.from, each.to, 0) < 0) return false;
      continue;
    }
    failed_fd_ = each.from;
    const long flags = ::syscall(SYS_fcntl, each.from, F_GETFD, 0L);
    if (flags < 0 || ::syscall(SYS_fcntl, each.from, F_SETFD, flags & ~FD_CLOEXEC) < 0) return false;
  }
  return true;
}

HAWSER_CHILD_SIDE bool ChildStart::close_others() noexcept {
  unsigned first = STDERR_FILENO + 1;
  for (std::size_t i = 0; i <= placements_.size(); ++i) {
    const bool at_the_end = i == placements_.size();
    if (!at_the_end && placements_[i].to <= STDERR_FILENO) continue;
    const unsigned last = at_the_end ? ~0U : static_cast<unsigned>(placements_[i].to) - 1;
    if (first <= last && ::syscall(SYS_close_range, first, last, 0) != 0) {
      if (errno != ENOSYS) return false;
      rlimit limit{};
      ::syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, nullptr, &limit);
      const auto end = std::min<std::uint64_t>(std::uint64_t{last} + 1, limit.rlim_cur);
      for (unsigned fd = first; fd < end; ++fd) ::syscall(SYS_close, fd);
    }
    first = last + 2;
  }
  return true;
}

// As execvp(3): go on past directories without the program, and remember one where it was not allowed.
HAWSER_CHILD_SIDE void ChildStart::exec() noexcept {
  int denied = 0;
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    ::syscall(SYS_execve, candidates_[i].c_str(), argv_.data(), envp_.data());
    const int error = errno;
    if (error == EACCES) {
      denied = error;
    } else if (error != ENOENT && error != ENOTDIR) {
      return;
    }
  }
  if (denied) errno = denied;
}

}  // namespace hawser::detail
