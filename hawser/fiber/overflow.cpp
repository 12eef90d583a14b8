#include <hawser/fiber/overflow.h>

#include <signal.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstring>

#include <hawser/base/made_once.h>
#include <hawser/fiber/loop.h>
#include <hawser/fiber/switch.h>
#include <hawser/fiber/task_state.h>

#if defined(HAWSER_ASAN) || defined(HAWSER_TSAN)
#include <sanitizer/common_interface_defs.h>
#endif

namespace hawser::detail {
namespace {

// Only what is async-signal-safe (signal-safety(7)) from here on.
void say(const char* text) noexcept {
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text, std::strlen(text));
}

#if defined(HAWSER_ASAN) || defined(HAWSER_TSAN)

// A sanitizer has handlers and alternate stacks of its own; what it can't know is the fiber.
void name_the_fiber() {
  const Loop* loop = Loop::current();
  if (!loop || !loop->running() || !loop->running()->task) return;
  say("hawser: this was in fiber '");
  say(loop->running()->task->raw_name());
  say("'\n");
}

void install_once() { __sanitizer_set_death_callback(&name_the_fiber); }

#else

void report(int signal, siginfo_t* info, void*) noexcept {
  Stack owner;
  const Loop* loop = Loop::current();
  if (loop && loop->running() && loop->stacks().in_guard(info->si_addr, owner)) {
    char kib[24] = {};
    std::to_chars(kib, kib + sizeof kib - 1, owner.size() / 1024);
    say("hawser: stack overflow in fiber '");
    say(loop->running()->task->raw_name());
    say("' (its stack has ");
    say(kib);
    say(" KiB; see RunOptions::stack_bytes)\n");
  }
  // Returning runs the faulting instruction again, now with the default action.
  ::signal(signal, SIG_DFL);
  if (info->si_code <= 0) ::raise(signal);  // it was sent, and no instruction would do that again
}

constinit MadeOnce<bool> g_installed;

// False when the program has a handler of its own.
bool install() noexcept {
  struct sigaction present {};
  ::sigaction(SIGSEGV, nullptr, &present);
  if (present.sa_handler != SIG_DFL) return false;
  struct sigaction ours {};
  ours.sa_sigaction = &report;
  ours.sa_flags = SA_SIGINFO | SA_ONSTACK;
  return ::sigaction(SIGSEGV, &ours, nullptr) == 0;
}

void install_once() { g_installed.get(&install); }

#endif

}  // namespace

struct OverflowReport::AlternateStack {
#if defined(HAWSER_ASAN) || defined(HAWSER_TSAN)
  std::array<std::byte, 512 * 1024> memory;  // their handlers look for names and sources
#else
  std::array<std::byte, 64 * 1024> memory;
#endif
  stack_t before{};
};

OverflowReport::OverflowReport([[maybe_unused]] const Loop& loop) {
  install_once();
#if defined(HAWSER_ASAN) || defined(HAWSER_TSAN)
  // ThreadSanitizer gives one to the main thread only: on others its handler would have to run on the stack that has
  // overflowed, so the kernel ends the process without calling it.
  stack_t present{};
  if (::sigaltstack(nullptr, &present) < 0 || !(present.ss_flags & SS_DISABLE)) return;
#endif
  stack_ = std::make_unique<AlternateStack>();
  stack_t next{};
  next.ss_sp = stack_->memory.data();
  next.ss_size = stack_->memory.size();
  ::sigaltstack(&next, &stack_->before);
}

OverflowReport::~OverflowReport() {
  if (stack_) ::sigaltstack(&stack_->before, nullptr);
}

}  // namespace hawser::detail
