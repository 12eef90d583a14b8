#include <hawser/fiber/stack_probe.h>

#include <semaphore.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <mutex>

#include <hawser/base/fork.h>
#include <hawser/base/made_once.h>
#include <hawser/fiber/backtrace.h>
#include <hawser/fiber/context.h>
#include <hawser/fiber/loop.h>
#include <hawser/fiber/task_state.h>

namespace hawser::detail {
namespace {

// One question at a time. free -> asked (by us) -> answering -> answered (by the handler) -> free; or asked -> free
// when patience ends first.
enum Stage : int { kFree, kAsked, kAnswering, kAnswered };

struct Question {
  std::atomic<int> stage{kFree};
  std::atomic<const Loop*> loop{nullptr};
  sem_t answered{};
  // Written by the handler between kAnswering and kAnswered.
  bool in_fiber = false;
  std::uint64_t switches = 0;
  char fiber[TaskState::kNameBytes] = {};
  Backtrace trace;
};

class Probes {
 public:
  Probes() {
    ::sem_init(&question_.answered, 0, 0);
    hold_over_fork(mutex, ForkOrder::outer, nullptr, nullptr);
    question_of_process = &question_;
  }

  bool prepare() noexcept {
    if (signal_) return true;
    Backtrace::prepare();
    for (int candidate = SIGRTMAX; candidate >= SIGRTMIN; --candidate) {
      struct sigaction present {};
      if (::sigaction(candidate, nullptr, &present) < 0 || present.sa_handler != SIG_DFL) continue;
      struct sigaction ours {};
      ours.sa_handler = &Probes::answer;
      ours.sa_flags = SA_RESTART | SA_ONSTACK;
      sigfillset(&ours.sa_mask);
      if (::sigaction(candidate, &ours, nullptr) < 0) continue;
      signal_ = candidate;
      return true;
    }
    return false;
  }

  ProbedStack ask(const Loop& loop, Duration patience) {
    ProbedStack result;
    const std::lock_guard hold(mutex);
    const int thread = loop.thread();
    if (!thread || !prepare()) return result;
    while (::sem_trywait(&question_.answered) == 0) {
    }
    question_.loop.store(&loop, std::memory_order_relaxed);
    question_.stage.store(kAsked, std::memory_order_seq_cst);
    if (::syscall(SYS_tgkill, ::getpid(), thread, signal_) == 0) wait(patience);
    int stage = kAsked;
    if (question_.stage.compare_exchange_strong(stage, kFree, std::memory_order_acq_rel)) return result;
    // It has begun to answer, which takes it no time; unless its processor was taken away.
    while (question_.stage.load(std::memory_order_acquire) != kAnswered) ::usleep(100);
    result.answered = true;
    result.in_fiber = question_.in_fiber;
    result.switches = question_.switches;
    result.fiber = question_.fiber;
    result.stack.assign(question_.trace.frames().begin(), question_.trace.frames().end());
    question_.stage.store(kFree, std::memory_order_release);
    return result;
  }

  std::mutex mutex;

 private:
  void wait(Duration patience) noexcept {
    timespec until{};
    ::clock_gettime(CLOCK_MONOTONIC, &until);
    const auto end = Duration(std::chrono::seconds(until.tv_sec)) + Duration(until.tv_nsec) + patience;
    const auto seconds = std::chrono::floor<std::chrono::seconds>(end);
    until.tv_sec = static_cast<time_t>(seconds.count());
    until.tv_nsec = static_cast<long>((end - seconds).count());
    while (::sem_clockwait(&question_.answered, CLOCK_MONOTONIC, &until) < 0 && errno == EINTR) {
    }
  }

  static void answer(int) noexcept {
    const int saved = errno;
    Question* question = question_of_process;
    Loop* here = Loop::current();
    int stage = kAsked;
    if (here && question->loop.load(std::memory_order_relaxed) == here &&
        question->stage.compare_exchange_strong(stage, kAnswering, std::memory_order_acq_rel)) {
      const Fiber* fiber = here->running();
      question->in_fiber = fiber != nullptr;
      question->switches = here->switches();
      question->fiber[0] = '\0';
      if (fiber && fiber->task) std::memcpy(question->fiber, fiber->task->raw_name(), TaskState::kNameBytes);
      question->trace.take();
      question->stage.store(kAnswered, std::memory_order_release);
      ::sem_post(&question->answered);
    }
    errno = saved;
  }

  static inline constinit Question* question_of_process = nullptr;
  Question question_;
  int signal_ = 0;
};

constinit MadeOnce<Probes> g_probes;
[[maybe_unused]] const bool g_made_early = (g_probes.get(), true);

}  // namespace

ProbedStack probe_stack(const Loop& loop, Duration patience) { return g_probes.get().ask(loop, patience); }

bool prepare_probes() noexcept {
  Probes& probes = g_probes.get();
  const std::lock_guard hold(probes.mutex);
  return probes.prepare();
}

}  // namespace hawser::detail
