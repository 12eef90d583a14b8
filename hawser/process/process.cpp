#include <hawser/process/process.h>

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <stdexcept>

#include <hawser/base/errors.h>
#include <hawser/base/system_calls.h>
#include <hawser/fiber/fork.h>
#include <hawser/process/children.h>
#include <hawser/process/own_process.h>
#include <hawser/process/starter_thread.h>

namespace hawser {
namespace {

std::string numbered_name() {
  static std::atomic<unsigned> count{0};
  return "Process-" + std::to_string(++count);
}

ProcessOptions named(ProcessOptions options) {
  if (options.name.empty()) options.name = numbered_name();
  return options;
}

}  // namespace

Process::Process(ProcessOptions options) : options_(named(std::move(options))) {}

Process::Process(std::unique_ptr<detail::ProcessTarget> target, ProcessOptions options)
    : options_(named(std::move(options))), target_(std::move(target)) {}

Process& Process::operator=(Process&& other) noexcept {
  if (this == &other) return *this;
  end_child();
  options_ = std::move(other.options_);
  target_ = std::move(other.target_);
  child_ = std::move(other.child_);
  return *this;
}

Process::~Process() { end_child(); }

void Process::end_child() noexcept {
  if (!child_ || child_->parent != ::getpid()) return;
  if (child_->daemon) {
    child_->process.stop(detail::kDaemonGrace);
  } else {
    child_->process.wait_to_the_end();
  }
  detail::remove_child(*child_);
  child_.reset();
}

void Process::run() {
  if (target_) target_->run();
}

void Process::start() {
  if (child_) throw std::logic_error("start " + name() + ": it has been started already");
  child_ = options_.start == ProcessStart::forked ? fork_child() : start_fresh_child();
  target_.reset();
  detail::add_child(child_);
}

std::shared_ptr<detail::Child> Process::fork_child() {
  detail::OwnProcess::flush();
  sigset_t mask;
  pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  const pid_t parent = ::getpid();
  pid_t pid = -1;
  UniqueFd pidfd;
  detail::on_starter_thread([&] {
    pid = fork_process();
    if (pid == 0) {
      using detail::OwnProcess;
      if (daemon()) OwnProcess::end_with_parent(parent);
      OwnProcess::begin(name(), daemon(), parent);
      pthread_sigmask(SIG_SETMASK, &mask, nullptr);
      OwnProcess::end(OwnProcess::run([this] { run(); }));
    }
    pidfd.reset(detail::sys::pidfd_open(pid, 0));
    if (pidfd) return;
    const int error = errno;
    ::kill(pid, SIGKILL);  // not reaped yet, so the number is still its own
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    throw SystemError(error, "start", name());
  });
  return std::make_shared<detail::Child>(pid, std::move(pidfd), name(), daemon(), parent);
}

std::shared_ptr<detail::Child> Process::start_fresh_child() {
  std::string message;
  const detail::FreshEntry entry = target_ ? target_->describe(message) : nullptr;
  if (!entry) {
    throw std::logic_error("start " + name() +
                           ": only a plain function with serialisable arguments can be started afresh");
  }
  detail::OwnProcess::flush();
  detail::ChildStart::Child made;
  detail::on_starter_thread(
      [&] { made = detail::start_afresh(entry, message, {.name = name(), .dies_with_parent = daemon()}); });
  return std::make_shared<detail::Child>(made.pid, std::move(made.pidfd), name(), daemon(), ::getpid());
}

detail::Child& Process::child(const char* operation) const {
  if (!child_) throw std::logic_error(std::string(operation) + " " + name() + ": it has not been started");
  if (child_->parent != ::getpid()) {
    throw std::logic_error(std::string(operation) + " " + name() + ": only the process that started it may do that");
  }
  return *child_;
}

bool Process::join(Timeout timeout) {
  detail::Child& mine = child("join");
  if (!mine.process.wait(Expiry::of(timeout))) return false;
  detail::remove_child(mine);
  return true;
}

void Process::send_signal(int signal) { child("signal").process.send_signal(signal); }

bool Process::is_alive() const { return child_ && !child("ask after").process.poll(); }

std::optional<int> Process::exit_code() const { return child_ ? child("ask after").process.poll() : std::nullopt; }

std::optional<pid_t> Process::pid() const noexcept {
  return child_ ? std::optional(child_->process.pid()) : std::nullopt;
}

int Process::sentinel() const { return child("watch").process.pidfd(); }

}  // namespace hawser
