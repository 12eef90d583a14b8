#include <hawser/process/child_start.h>

#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
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
      group_(options.group),
      keep_fds_(options.keep_fds) {
  if (arguments_.empty() || arguments_.front().empty()) throw std::invalid_argument("empty command");
  program_ = arguments_.front();
  for (const std::string& argument : arguments_) refuse_nul(argument, "an argument of a command");
  refuse_nul(cwd_, "the directory of a command");
  std::erase_if(keep_fds_, [](int fd) { return fd <= STDERR_FILENO; });
  std::sort(keep_fds_.begin(), keep_fds_.end());

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
    child.pid = HAWSER_CLONE(&ChildStart::enter, reinterpret_cast<void*>(top),
                             CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, this, &pidfd);
    clone_error = errno;
  }
  if (child.pid < 0) throw SystemError(clone_error, "start", program_);
  child.pidfd.reset(pidfd);
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
    case ChildStep::streams:
      throw SystemError(error, "connect the streams of", program_);
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
  if (!place_streams()) return stop(ChildStep::streams);
  if (!close_others()) return stop(ChildStep::descriptors);
  const std::uint64_t none = 0;
  ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, kSignalSetBytes);
  exec();
  stop(ChildStep::exec);
}

// A source that has one of the numbers 0 to 2 is moved out of the way first: placing another stream would overwrite it.
HAWSER_CHILD_SIDE bool ChildStart::place_streams() noexcept {
  int from[3];
  for (int which = 0; which < 3; ++which) {
    from[which] = streams_[which];
    if (from[which] >= 0 && from[which] <= STDERR_FILENO) {
      from[which] = static_cast<int>(::syscall(SYS_fcntl, streams_[which], F_DUPFD_CLOEXEC, long{STDERR_FILENO + 1}));
      if (from[which] < 0) return false;
    }
  }
  for (int which = 0; which < 3; ++which) {
    if (from[which] >= 0 && ::syscall(SYS_dup3, from[which], which, 0) < 0) return false;
  }
  return true;
}

HAWSER_CHILD_SIDE bool ChildStart::close_others() noexcept {
  unsigned first = STDERR_FILENO + 1;
  for (std::size_t i = 0; i <= keep_fds_.size(); ++i) {
    const unsigned last = i < keep_fds_.size() ? static_cast<unsigned>(keep_fds_[i]) - 1 : ~0U;
    if (first <= last && ::syscall(SYS_close_range, first, last, 0) != 0) {
      if (errno != ENOSYS) return false;
      rlimit limit{};
      ::syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, nullptr, &limit);
      const auto end = std::min<std::uint64_t>(last, limit.rlim_cur);
      for (unsigned fd = first; fd < end; ++fd) ::syscall(SYS_close, fd);
    }
    if (i == keep_fds_.size()) break;
    const long flags = ::syscall(SYS_fcntl, keep_fds_[i], F_GETFD, 0L);
    if (flags < 0 || ::syscall(SYS_fcntl, keep_fds_[i], F_SETFD, flags & ~FD_CLOEXEC) < 0) return false;
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
