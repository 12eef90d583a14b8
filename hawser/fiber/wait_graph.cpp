#include <hawser/fiber/wait_graph.h>

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <mutex>
#include <new>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <hawser/base/errors.h>
#include <hawser/base/fork.h>
#include <hawser/base/log.h>
#include <hawser/base/made_once.h>
#include <hawser/base/system_calls.h>
#include <hawser/fiber/context.h>
#include <hawser/fiber/task_state.h>

namespace hawser::detail {

#ifdef NDEBUG
constinit std::atomic<bool> g_waits_tracked{false};
#else
constinit std::atomic<bool> g_waits_tracked{true};
#endif

namespace {

constinit std::atomic<bool> g_raise{false};

constexpr std::string_view kDeadlock = "deadlock: ";
constexpr std::string_view kUntilTimeout = "deadlock until a timeout: ";

pid_t thread_id() noexcept { return static_cast<pid_t>(::syscall(SYS_gettid)); }

// The name a thread has now, also when another thread asks.
std::string thread_name(pid_t id) {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/self/task/%d/comm", static_cast<int>(id));
  const int fd = sys::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return "";
  char name[32];
  const ssize_t size = sys::read(fd, name, sizeof name);
  ::close(fd);
  std::string text(name, static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

}  // namespace

class WaitGraph {
 public:
  WaitGraph() { hold_over_fork(mutex_, ForkOrder::inner, &WaitGraph::in_child, this); }

  // Enters the wait and returns the circle that it closes, as text; empty when it closes none.
  std::string enter(TrackedWait& wait) noexcept {
    std::lock_guard hold(mutex_);
    link(wait);
    try {
      const auto circle = circle_through(wait);
      if (!circle.empty()) return describe(circle);
    } catch (const std::bad_alloc&) {
      // The next report that is asked for shows it.
    }
    return "";
  }
  void leave(TrackedWait& wait) noexcept {
    std::lock_guard hold(mutex_);
    (wait.previous_ ? wait.previous_->next_ : bucket(wait.who_)) = wait.next_;
    if (wait.next_) wait.next_->previous_ = wait.previous_;
    --count_;
  }

  void introduce_thread(Identity who) {
    std::lock_guard hold(mutex_);
    parties_[who].thread = thread_id();
  }
  // Marked first, and all of it under the mutex: whoever gives it another name meanwhile sees the mark and comes after.
  void introduce(TaskState& task) {
    std::lock_guard hold(mutex_);
    task.introduced.store(true, std::memory_order_relaxed);
    parties_[task.identity()].name = task.name();
  }
  void rename(Identity who, std::string_view name) {
    std::lock_guard hold(mutex_);
    if (const auto found = parties_.find(who); found != parties_.end()) found->second.name = name;
  }
  void forget(Identity who) noexcept {
    std::lock_guard hold(mutex_);
    parties_.erase(who);
  }

  std::string name_of(Identity who) {
    std::lock_guard hold(mutex_);
    return party(who);
  }

  std::vector<std::string> circles() {
    std::lock_guard hold(mutex_);
    std::vector<std::string> texts;
    for (const TrackedWait* wait : sorted()) {
      const auto circle = circle_through(*wait);
      if (first_of(circle) == wait) texts.push_back(describe(circle));
    }
    return texts;
  }
  std::string report() {
    std::lock_guard hold(mutex_);
    std::string circles;
    std::string others;
    for (const TrackedWait* wait : sorted()) {
      const auto circle = circle_through(*wait);
      if (circle.empty()) {
        if (wait->wanted_.kind != Wanted::Kind::main)
          others += party(wait->who_) + " waits for " + wanted(*wait) + '\n';
      } else if (first_of(circle) == wait) {
        circles += describe(circle) + '\n';
      }
    }
    return circles + others;
  }

 private:
  struct Party {
    std::string name;
    pid_t thread = 0;  // 0: a fiber
  };
  using Circle = std::vector<const TrackedWait*>;

  // Nobody waits there: the child has one thread, and that one is in fork().
  static void in_child(void* self) noexcept {
    auto& graph = *static_cast<WaitGraph*>(self);
    graph.waits_.fill(nullptr);
    graph.count_ = 0;
  }

  TrackedWait*& bucket(Identity who) noexcept { return waits_[who % waits_.size()]; }

  void link(TrackedWait& wait) noexcept {
    TrackedWait*& first = bucket(wait.who_);
    wait.next_ = first;
    if (first) first->previous_ = &wait;
    first = &wait;
    ++count_;
  }

  const TrackedWait* wait_of(Identity who) noexcept {
    const TrackedWait* wait = bucket(who);
    while (wait && wait->who_ != who) wait = wait->next_;
    return wait;
  }

  // Empty when whoever holds what is waited for does not wait for this one in the end.
  Circle circle_through(const TrackedWait& start) {
    Circle circle;
    for (const TrackedWait* at = &start; at && circle.size() <= count_;) {
      circle.push_back(at);
      const Identity holder = at->wanted_.holder.load(std::memory_order_relaxed);
      at = holder ? wait_of(holder) : nullptr;
      if (at == &start) return circle;
    }
    return {};
  }

  static const TrackedWait* first_of(const Circle& circle) {
    const auto first =
        std::min_element(circle.begin(), circle.end(), [](const auto* a, const auto* b) { return a->who_ < b->who_; });
    return first == circle.end() ? nullptr : *first;
  }

  Circle sorted() {
    Circle all;
    for (const TrackedWait* wait : waits_)
      for (; wait; wait = wait->next_) all.push_back(wait);
    std::sort(all.begin(), all.end(), [](const auto* a, const auto* b) { return a->who_ < b->who_; });
    return all;
  }

  std::string party(Identity who) {
    const auto found = parties_.find(who);
    if (found == parties_.end()) return "fiber " + std::to_string(who);
    const Party& known = found->second;
    if (known.thread) return "thread '" + thread_name(known.thread) + "' (" + std::to_string(known.thread) + ')';
    return known.name.empty() ? "fiber " + std::to_string(who) : "fiber '" + known.name + '\'';
  }

  // "lock 'fork' held by fiber 'Wu'"
  std::string wanted(const TrackedWait& wait) {
    const Wanted& what = wait.wanted_;
    const Identity holder = what.holder.load(std::memory_order_relaxed);
    std::string text;
    if (what.kind != Wanted::Kind::lock) {
      text = "the end of " + party(holder);
    } else {
      char address[32];
      std::snprintf(address, sizeof address, "%p", what.address);
      text = what.name ? "lock '" + std::string(what.name) + '\'' : "lock " + std::string(address);
      text += holder ? " held by " + party(holder) : " held by nobody that is known";
    }
    if (wait.gives_up_) text += " (until a timeout)";
    return text;
  }

  std::string describe(const Circle& circle) {
    const bool opens_again = std::any_of(circle.begin(), circle.end(), [](const auto* at) { return at->gives_up_; });
    std::string text(opens_again ? kUntilTimeout : kDeadlock);
    text += party(circle.front()->who_);
    for (const TrackedWait* at : circle) {
      if (at != circle.front()) text += ", who";
      text += " waits for " + wanted(*at);
    }
    return text;
  }

  std::mutex mutex_;
  std::array<TrackedWait*, 1024> waits_{};  // by identity
  std::size_t count_ = 0;
  std::unordered_map<Identity, Party> parties_;
};

namespace {
constinit MadeOnce<WaitGraph> g_graph;
[[maybe_unused]] const bool g_made_early = (g_graph.get(), true);
}  // namespace

TrackedWait::TrackedWait(const Wanted& wanted, bool gives_up, Raise raise)
    : wanted_(wanted), gives_up_(gives_up), who_(introduce_holder()) {
  const std::string circle = g_graph.get().enter(*this);
  if (circle.empty()) return;
  log_line(LogLevel::error, circle);
  if (raise == Raise::never || circle.starts_with(kUntilTimeout) || !g_raise.load(std::memory_order_relaxed)) return;
  g_graph.get().leave(*this);
  throw DeadlockDetected(circle);
}

TrackedWait::~TrackedWait() { g_graph.get().leave(*this); }

Identity introduce_holder() noexcept {
  const Identity who = current_identity();
  if (const Fiber* fiber = Context::current_fiber()) {
    introduce_task(*fiber->task);
    return who;
  }
  struct ThreadParty {
    Identity who = 0;
    ~ThreadParty() {
      if (who) g_graph.get().forget(who);
    }
  };
  thread_local ThreadParty own;
  try {
    if (!std::exchange(own.who, who)) g_graph.get().introduce_thread(who);
  } catch (const std::bad_alloc&) {
    // Reports call it by its number.
  }
  return who;
}

void introduce_task(TaskState& task) noexcept {
  if (task.introduced.load(std::memory_order_relaxed)) return;
  try {
    g_graph.get().introduce(task);
  } catch (const std::bad_alloc&) {
    // As above.
  }
}

std::string name_holder(Identity who) { return g_graph.get().name_of(who); }

void rename_holder(Identity who, std::string_view name) noexcept {
  try {
    g_graph.get().rename(who, name);
  } catch (const std::bad_alloc&) {
    // It keeps the name it had.
  }
}

void forget_holder(Identity who) noexcept { g_graph.get().forget(who); }

void track_waits(bool on, bool raise) noexcept {
  g_raise.store(raise, std::memory_order_relaxed);
  g_waits_tracked.store(on, std::memory_order_relaxed);
}

std::vector<std::string> wait_circles() { return g_graph.get().circles(); }

std::string wait_report() { return g_graph.get().report(); }

}  // namespace hawser::detail
