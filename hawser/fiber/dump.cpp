#include <hawser/fiber/dump.h>

#include <semaphore.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include <hawser/base/errors.h>
#include <hawser/base/fork.h>
#include <hawser/base/made_once.h>
#include <hawser/base/start_thread.h>
#include <hawser/fiber/context.h>
#include <hawser/fiber/dump_text.h>
#include <hawser/fiber/fiber_list.h>
#include <hawser/fiber/loop.h>
#include <hawser/fiber/stack_probe.h>
#include <hawser/fiber/waiter.h>

namespace hawser {
namespace {

using detail::Context;
using detail::FiberList;
using detail::Loop;

// The answers of the loops that were asked. Whoever answers late, after we have gone, finds it still there.
struct Answers {
  std::mutex mutex;
  std::vector<std::optional<FiberList>> lists;
  std::size_t missing = 0;
  Waiter* waiter = nullptr;  // null once nobody waits any more
};

struct Ask : detail::Message {
  std::shared_ptr<Answers> answers;
  std::size_t index = 0;
  DumpOptions options;
};

void answer(detail::Message& message, Loop& loop) noexcept {
  const std::unique_ptr<Ask> ask(static_cast<Ask*>(&message));
  std::optional<FiberList> list;
  try {
    list = FiberList::of(loop, ask->options.most_fibers, ask->options.stacks);
  } catch (...) {
    // No memory for it: it will be missing.
  }
  const std::lock_guard hold(ask->answers->mutex);
  ask->answers->lists[ask->index] = std::move(list);
  if (--ask->answers->missing == 0 && ask->answers->waiter) ask->answers->waiter->unpark();
}

// A dump must come out whatever is wrong with the context that asks for it.
class Undisturbed {
 public:
  Undisturbed() : context_(Context::current()), deadline_(std::exchange(context_.deadline, nullptr)) {
    ++context_.shields;
  }
  Undisturbed(const Undisturbed&) = delete;
  Undisturbed& operator=(const Undisturbed&) = delete;
  ~Undisturbed() {
    --context_.shields;
    context_.deadline = deadline_;
  }

 private:
  Context& context_;
  Deadline* deadline_;
};

std::vector<Loop*> loops_of_others() {
  std::vector<Loop*> loops;
  for (Loop* loop = Loop::newest(); loop; loop = loop->made_before()) {
    if (loop != Loop::current() && !loop->abandoned() && loop->thread()) loops.push_back(loop);
  }
  std::reverse(loops.begin(), loops.end());
  return loops;
}

std::shared_ptr<Answers> ask_all(const std::vector<Loop*>& loops, const DumpOptions& options) {
  auto answers = std::make_shared<Answers>();
  answers->lists.resize(loops.size());
  answers->missing = loops.size();
  if (loops.empty()) return answers;
  Waiter waiter("dump");
  answers->waiter = &waiter;
  for (std::size_t i = 0; i < loops.size(); ++i) {
    auto ask = std::make_unique<Ask>();
    ask->deliver = &answer;
    ask->answers = answers;
    ask->index = i;
    ask->options = options;
    loops[i]->post(*ask.release());
  }
  static_cast<void>(waiter.park(Expiry::in(options.patience)));
  const std::lock_guard hold(answers->mutex);
  answers->waiter = nullptr;
  return answers;
}

// What a signal makes print it. sem_post(3) is all that its handler does.
class Printer {
 public:
  Printer() {
    ::sem_init(&g_asked, 0, 0);
    detail::hold_over_fork(
        mutex_, detail::ForkOrder::outer, [](void* self) noexcept { static_cast<Printer*>(self)->started_ = false; },
        this);
  }

  void on(int signal) {
    const std::lock_guard hold(mutex_);
    if (!started_) {
      detail::start_quiet_thread("of dump_fibers_on", [] { work(); }).detach();
      started_ = true;
    }
    struct sigaction ours {};
    ours.sa_handler = [](int) noexcept {
      const int saved = errno;
      ::sem_post(&g_asked);
      errno = saved;
    };
    ours.sa_flags = SA_RESTART | SA_ONSTACK;
    sigemptyset(&ours.sa_mask);
    if (::sigaction(signal, &ours, nullptr) < 0) throw_errno("dump_fibers_on", "signal " + std::to_string(signal));
  }

 private:
  [[noreturn]] static void work() {
    for (;;) {
      if (::sem_wait(&g_asked) < 0) continue;
      std::string text;
      try {
        text = dump_fibers();
      } catch (...) {
        text = "hawser: no memory for a dump of the fibers\n";
      }
      for (std::string_view rest = text; !rest.empty();) {
        const ssize_t written = ::write(STDERR_FILENO, rest.data(), rest.size());
        if (written < 0 && errno != EINTR) break;
        if (written > 0) rest.remove_prefix(static_cast<std::size_t>(written));
      }
    }
  }

  static inline sem_t g_asked{};
  std::mutex mutex_;
  bool started_ = false;
};

constinit detail::MadeOnce<Printer> g_printer;
[[maybe_unused]] const bool g_made_early = (g_printer.get(), true);

}  // namespace

std::string dump_fibers(const DumpOptions& options) {
  const Undisturbed undisturbed;
  std::vector<FiberList> lists;
  std::size_t fibers = 0;
  if (Loop* here = Loop::current()) lists.push_back(FiberList::of(*here, options.most_fibers, options.stacks));
  const std::vector<Loop*> loops = loops_of_others();
  const std::shared_ptr<Answers> answers = ask_all(loops, options);
  std::vector<const Loop*> silent;
  {
    const std::lock_guard hold(answers->mutex);
    for (std::size_t i = 0; i < loops.size(); ++i) {
      if (answers->lists[i]) {
        lists.push_back(std::move(*answers->lists[i]));
      } else if (loops[i]->thread()) {
        silent.push_back(loops[i]);
      }
    }
  }
  for (const FiberList& list : lists) fibers += list.fibers;
  std::string text =
      fmt::format("hawser: {} fiber{} on {} loop{}, process {}\n", fibers, fibers == 1 ? "" : "s",
                  lists.size() + silent.size(), lists.size() + silent.size() == 1 ? "" : "s", ::getpid());
  for (const FiberList& list : lists) detail::append_list(text, list);
  for (const Loop* loop : silent) {
    const detail::ProbedStack probed = detail::probe_stack(*loop, options.patience / static_cast<int>(silent.size()));
    detail::append_busy(text, *loop, probed, options.stacks);
  }
  return text;
}

void dump_fibers_on(int signal) { g_printer.get().on(signal); }

}  // namespace hawser
