#include <hawser/task/thread_state.h>

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <list>
#include <mutex>
#include <stdexcept>
#include <utility>

#include <hawser/base/errors.h>
#include <hawser/base/fork.h>
#include <hawser/base/log.h>
#include <hawser/base/made_once.h>
#include <hawser/base/start_thread.h>
#include <hawser/fiber/context.h>
#include <hawser/fiber/identity.h>
#include <hawser/task/thread.h>

namespace hawser::detail {
namespace {

thread_local std::shared_ptr<ThreadState> t_state;

// Who lives, and what is told of those who failed.
struct Registry {
  Registry() {
    hold_over_fork(details, ForkOrder::inner, nullptr, nullptr);
    hold_over_fork(mutex, ForkOrder::outer, &Registry::in_child, this);
  }
  // Of the threads the child has the one that forked.
  static void in_child(void* self) noexcept {
    auto& registry = *static_cast<Registry*>(self);
    // What the parent's threads have must not be let go of here: they may be in the middle of it.
    registry.left_behind.splice(registry.left_behind.end(), registry.living);
    if (registry.main && registry.main != t_state) registry.left_behind.push_back(registry.main);
    registry.main = t_state;
  }
  std::mutex details;  // guards each state's own; one for all, since a fork must find it free. Locked after `mutex`
  std::mutex mutex;    // guards what follows
  std::list<std::shared_ptr<ThreadState>> living;  // in the order of their starts
  std::shared_ptr<ThreadState> main;
  std::list<std::shared_ptr<ThreadState>> left_behind;  // the parent's, in a forked child
  std::list<std::thread> left_threads;
  ThreadFailureHook hook;
  std::uint64_t named = 0;
  bool joins_at_exit = false;
};

constinit MadeOnce<Registry> g_registry;

Registry& registry() { return g_registry.get(); }

void tell_kernel(pthread_t thread, const std::string& name) noexcept {
  constexpr std::size_t kKernelBytes = 15;  // pthread_setname_np(3)
  ::pthread_setname_np(thread, name.substr(0, kKernelBytes).c_str());
}

void report(const std::string& name, const std::exception_ptr& error) noexcept {
  try {
    ThreadFailureHook hook;
    {
      std::lock_guard hold(registry().mutex);
      hook = registry().hook;
    }
    if (hook) return hook({name, error});
    log_line(LogLevel::error, "thread '" + name + "' failed and nobody joined it: " + describe(error));
  } catch (...) {
    log_line(LogLevel::error, "the hook for failed threads threw: " + describe(std::current_exception()));
  }
}

// The first thread there is: static initialisers run on it.
[[maybe_unused]] const bool g_main_adopted = [] {
  registry().main = ThreadState::adopt("MainThread");
  return true;
}();

}  // namespace

ThreadState::ThreadState(std::string name, bool daemon)
    : generation_(fork_generation()), daemon_(daemon), name_(std::move(name)) {}

ThreadState::~ThreadState() {
  reap();
  if (error_ && !error_seen_.load(std::memory_order_relaxed)) report(name_, error_);
}

std::shared_ptr<ThreadState> ThreadState::adopt(std::string name) {
  auto state = std::make_shared<ThreadState>(std::move(name), false);
  state->begin_here();
  t_state = state;
  return state;
}

const std::shared_ptr<ThreadState>& ThreadState::current() {
  if (!t_state) {
    char name[16] = {};
    ::pthread_getname_np(::pthread_self(), name, sizeof name);
    adopt(name)->set_daemon(true);
  }
  return t_state;
}

std::shared_ptr<ThreadState> ThreadState::main() {
  std::lock_guard hold(registry().mutex);
  if (!registry().main) registry().main = adopt("MainThread");  // a forked child's
  return registry().main;
}

std::vector<std::shared_ptr<ThreadState>> ThreadState::all() {
  std::vector<std::shared_ptr<ThreadState>> all{main()};
  std::lock_guard hold(registry().mutex);
  for (const auto& state : registry().living)
    if (state->alive() && state != all.front()) all.push_back(state);
  return all;
}

std::string ThreadState::fresh_name() {
  std::lock_guard hold(registry().mutex);
  return "Thread-" + std::to_string(++registry().named);
}

void ThreadState::begin_here() noexcept {
  ident_.store(::pthread_self(), std::memory_order_release);
  native_id_.store(::gettid(), std::memory_order_release);
  {
    std::lock_guard hold(registry().details);
    handle_ = ::pthread_self();
    named_here_ = true;
  }
  status_.store(kRunning, std::memory_order_release);
}

void ThreadState::start(std::function<void()> body) {
  Registry& all = registry();
  std::unique_lock hold(all.mutex);
  if (started() || std::find(all.living.begin(), all.living.end(), shared_from_this()) != all.living.end())
    throw std::logic_error("thread '" + name() + "' can only be started once");
  if (!std::exchange(all.joins_at_exit, true)) std::atexit([] { join_all_at_exit(); });
  all.living.push_back(shared_from_this());
  hold.unlock();
  try {
    // Running from the caller's point of view: who joins it at once waits.
    status_.store(kRunning, std::memory_order_release);
    std::thread thread = start_thread(name(), [self = shared_from_this(), body = std::move(body)]() mutable {
      t_state = self;
      self->begin_here();
      tell_kernel(::pthread_self(), self->name());
      ThreadState& state = *self;
      self.reset();  // t_state holds it, to the very end of this thread
      state.run(std::move(body));
    });
    std::lock_guard hold_handle(all.details);
    thread_ = std::move(thread);
  } catch (...) {
    status_.store(kInitial, std::memory_order_release);
    hold.lock();
    std::erase(all.living, shared_from_this());
    throw;
  }
}

void ThreadState::run(std::function<void()> body) noexcept {
  std::exception_ptr error;
  try {
    body();
  } catch (...) {
    error = std::current_exception();
  }
  body = nullptr;  // what it held is free before anybody hears of the end
  end_here(std::move(error));
}

void ThreadState::end_here(std::exception_ptr error) noexcept {
  error_ = std::move(error);
  {
    std::lock_guard hold(registry().details);
    named_here_ = false;
  }
  const std::shared_ptr<ThreadState> self = shared_from_this();
  {
    std::lock_guard hold(registry().mutex);
    std::erase(registry().living, self);
  }
  status_.store(kEnded, std::memory_order_release);
  ended_.set();
}

// The thread is about to end, or has: waits the moment that it takes, so that it is gone with all that is its own.
void ThreadState::reap() noexcept {
  std::thread thread;
  {
    std::lock_guard hold(registry().details);
    thread = std::move(thread_);
  }
  if (!thread.joinable()) return;
  if (generation_ != fork_generation()) {
    // The parent's: there is nothing to wait for here, and a std::thread insists.
    std::lock_guard hold(registry().mutex);
    registry().left_threads.push_back(std::move(thread));
  } else if (thread.get_id() == std::this_thread::get_id()) {
    thread.detach();
  } else {
    thread.join();
  }
}

bool ThreadState::is_current() const noexcept { return t_state.get() == this; }

bool ThreadState::join(Expiry expiry) {
  if (!started()) throw std::logic_error("thread '" + name() + "' can't be joined before it is started");
  if (is_current()) throw std::logic_error("thread '" + name() + "' can't join itself");
  if (generation_ != fork_generation()) throw std::logic_error("thread '" + name() + "' is one of the parent process");
  if (!ended_.wait(expiry, "thread join")) return false;
  reap();
  return true;
}

void ThreadState::join_uninterrupted() noexcept {
  if (generation_ != fork_generation()) return;
  ended_.wait_uninterrupted("thread join");
  reap();
}

void ThreadState::rethrow() {
  if (!error_) return;
  error_seen_.store(true, std::memory_order_relaxed);
  std::rethrow_exception(error_);
}

std::string ThreadState::name() const {
  std::lock_guard hold(registry().details);
  return name_;
}

void ThreadState::set_name(std::string name) {
  std::lock_guard hold(registry().details);
  name_ = std::move(name);
  // The main thread's name is the whole program's, for ps(1) and top(1).
  if (named_here_ && native_id() != ::getpid()) tell_kernel(handle_, name_);
}

void ThreadState::set_daemon(bool daemon) { daemon_.store(daemon, std::memory_order_relaxed); }

void ThreadState::join_all_at_exit() noexcept {
  for (;;) {
    std::shared_ptr<ThreadState> next;
    {
      std::lock_guard hold(registry().mutex);
      for (const auto& state : registry().living)
        if (!state->daemon() && !state->is_current()) next = state;
    }
    if (!next) return;
    next->join_uninterrupted();
  }
}

}  // namespace hawser::detail

namespace hawser {

void set_thread_failure_hook(ThreadFailureHook hook) {
  std::lock_guard hold(detail::registry().mutex);
  detail::registry().hook = std::move(hook);
}

}  // namespace hawser
