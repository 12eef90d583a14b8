#include <hawser/fiber/loop.h>

#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <exception>
#include <new>

#include <hawser/base/log.h>
#include <hawser/base/store_before_loads.h>
#include <hawser/base/system_calls.h>
#include <hawser/fiber/debug_layout.h>
#include <hawser/fiber/fork.h>
#include <hawser/fiber/pollable.h>
#include <hawser/fiber/runtime.h>
#include <hawser/fiber/waiter.h>

namespace hawser::detail {

[[gnu::tls_model("initial-exec")]] constinit thread_local Loop* t_loop = nullptr;
constinit std::atomic<Loop*> Loop::g_newest{nullptr};

namespace {

// A hundredth of a microsecond, to a few milliseconds: clock_getres(2).
Duration::rep coarse_now() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return Duration::rep{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

// What a switch to a fiber will load, and the frames that it returns to: among many fibers they have left the cache.
void fetch_frames(const void* suspended_at) noexcept {
  constexpr std::size_t kCacheLine = 64;
  constexpr std::size_t kLines = 5;
  for (std::size_t line = 0; line < kLines; ++line) {
    __builtin_prefetch(static_cast<const std::byte*>(suspended_at) + line * kCacheLine);
  }
}

}  // namespace

Loop::Loop(std::size_t stack_bytes, EngineKind engine)
    : timers_(Clock::now()), stacks_(stack_bytes), engine_kind_(engine), engine_(make_engine(engine, *this)) {
  debug_layout_ = &hawser_debug_layout;
  made_before_ = g_newest.load(std::memory_order_relaxed);
  while (!g_newest.compare_exchange_weak(made_before_, this, std::memory_order_release, std::memory_order_relaxed)) {
  }
}

void Loop::prepare(bool here, const std::string& why) {
  engine_->prepare(here);
  engine_reason_ = std::string(engine_->name()) + " (" + why + ")";
}

void Loop::start(TaskRef task) noexcept {
  ++unstarted_;
  ready_.push(*task.release());
}

void Loop::abandon() noexcept {
  abandoned_ = true;
  asleep_.store(false, std::memory_order_relaxed);  // so that post() leaves the parent's engine alone
}

void Loop::post(Message& message) noexcept {
  inbox_.push(message);
  // Sequentially consistent on both sides: either the loop sees the message before it sleeps, or we see it asleep.
  if (asleep_.load(std::memory_order_seq_cst) && asleep_.exchange(false, std::memory_order_seq_cst)) engine_->wake();
}

// The loop's own flow ---------------------------------------------------------------------------------------------

void Loop::run(Runtime& runtime, int index) {
  Flow flow;
  flow_ = &flow;
  t_loop = this;
  runtime_ = &runtime;
  index_.store(index, std::memory_order_relaxed);
  thread_.store(::gettid(), std::memory_order_release);
  counted_idle_ = false;
  engine_->begin();
  while (!finished()) turn();
  engine_->end();
  // The next run() may use this loop on another thread, and a fiber may have kept addresses that belong to this one.
  while (Fiber* fiber = idle_) {
    idle_ = fiber->next_idle;
    release(*fiber);
  }
  idle_count_.set(0);
  thread_.store(0, std::memory_order_release);
  runtime_ = nullptr;
  index_.store(-1, std::memory_order_relaxed);
  flow_ = nullptr;
  t_loop = nullptr;
}

bool Loop::finished() noexcept {
  if (!runtime_->stopping()) return false;
  if (!counted_idle_) {
    if (live_count_ || unstarted_) return false;
    counted_idle_ = true;
    runtime_->loop_is_empty();
  }
  return runtime_->all_empty() && inbox_.empty();
}

void Loop::turn() {
  deliver_messages();
  fire_timers();
  ++counts_.turns;
  if (!ready_.empty()) {
    ++counts_.polls;
    engine_->poll();
  } else if (!poll_a_while()) {
    sleep();
  }
  turn_began_.store(coarse_now(), std::memory_order_relaxed);
  run_ready();
}

bool Loop::poll_a_while() {
  if (!idle_spin_.worth_it()) return false;
  const auto give_up = Clock::now() + IdleSpin::kBudget;
  bool in_time = false;
  bool late = false;
  while (!in_time && !late) {
    ++counts_.polls;
    engine_->poll();
    deliver_messages();
    // What comes at the last moment may be there because we were off the processor: that is no success.
    late = Clock::now() >= give_up;
    in_time = !ready_.empty();
  }
  idle_spin_.polled(in_time && !late, !ready_.more_than(IdleSpin::kFew));
  return in_time;
}

void Loop::sleep() {
  const bool measured = idle_spin_.measures();
  const auto begin = measured ? Clock::now() : Clock::time_point();
  store_before_loads(asleep_, true);
  if (inbox_.empty() && !finished()) {
    ++counts_.sleeps;
    engine_->wait(timers_.next());
  }
  asleep_.store(false, std::memory_order_relaxed);
  deliver_messages();
  if (!ready_.empty()) {
    idle_spin_.slept(measured ? Clock::now() - begin : Duration::zero(), !ready_.more_than(IdleSpin::kFew));
  }
  fire_timers();
}

void Loop::deliver_messages() noexcept {
  for (Message* message = inbox_.take_all(); message;) {
    Message* next = message->next;
    message->deliver(*message, *this);
    message = next;
  }
}

void Loop::fire_timers() {
  if (timers_.empty()) return;
  timers_.fire(Clock::now(), [](Timer& timer) { Waiter::time_out(timer); });
}

void Loop::run_ready() {
  slices_left_ = kSlicesATurn;
  while (Fiber* next = next_fiber(nullptr)) {
    running_.store(next, std::memory_order_relaxed);
    flow_->switch_to(*next);
    running_.store(nullptr, std::memory_order_relaxed);
  }
  if (starved_) {  // try again next turn: fibers that end give their stacks back
    ready_.push(*starved_);
    starved_ = nullptr;
  }
}

// Fibers ----------------------------------------------------------------------------------------------------------

// The next fiber to run, with its task when it is a fresh one; null when the turn is over. finished: a fiber whose task
// has ended and that can take on the next task itself.
Fiber* Loop::next_fiber(Fiber* finished) noexcept {
  while (slices_left_ > 0 && !starved_) {
    Runnable* runnable = ready_.pop();
    if (!runnable) return nullptr;
    --slices_left_;
    if (runnable->kind() == Runnable::Kind::fiber) {
      ++counts_.switches;
      return static_cast<Fiber*>(runnable);
    }
    auto& task = static_cast<TaskState&>(*runnable);
    if (task.cancel_requested || runtime_->stopping()) {
      if (task.end_unrun()) {
        --unstarted_;
        task.drop_ref();
        continue;
      }
      task.cancel_requested = true;
    }
    Fiber* fiber = finished;
    if (!fiber) {
      try {
        fiber = idle_fiber();
      } catch (...) {
        if (live_count_ == 0) {
          log_line(LogLevel::error, "no memory for the first fiber's stack");
          std::terminate();
        }
        starved_ = &task;
        return nullptr;
      }
    }
    --unstarted_;
    ++counts_.tasks;
    ++counts_.switches;
    adopt(*fiber, task);
    return fiber;
  }
  return nullptr;
}

// next_fiber() in the usual case: one that has run before is next. Null when that one must see.
inline Fiber* Loop::next_resumed() noexcept {
  Runnable* const first = ready_.first();
  if (!first || first->kind() != Runnable::Kind::fiber || slices_left_ <= 0 || starved_) return nullptr;
  ready_.pop();
  --slices_left_;
  ++counts_.switches;
  if (const Runnable* const then = ready_.first(); then && then->kind() == Runnable::Kind::fiber) {
    fetch_frames(static_cast<const Fiber*>(then)->suspended_at());
  }
  return static_cast<Fiber*>(first);
}

void Loop::adopt(Fiber& fiber, TaskState& task) noexcept {
  fiber.task = &task;
  task.fiber = &fiber;
  fiber.previous_live = nullptr;
  fiber.next_live = live_;
  if (live_) live_->previous_live = &fiber;
  live_ = &fiber;
  ++live_count_;
}

void Loop::let_go(Fiber& fiber) noexcept {
  (fiber.previous_live ? fiber.previous_live->next_live : live_) = fiber.next_live;
  if (fiber.next_live) fiber.next_live->previous_live = fiber.previous_live;
  --live_count_;
  TaskState* task = std::exchange(fiber.task, nullptr);
  task->fiber = nullptr;
  fiber.deadline = nullptr;
  fiber.shields = 0;
  fiber.cancel_requested = false;
  fiber.operations = 0;
  task->drop_ref();
}

// A fiber's whole life: run a task, then go on with the next unstarted one on the same stack, or rest until there is
// one.
void Loop::fiber_entry(Flow& flow) {
  auto& self = static_cast<Fiber&>(flow);
  Loop& loop = self.loop;
  for (;;) {
    self.task->execute();
    if (t_loop != &loop) end_forked_child(*self.task);
    loop.let_go(self);
    Fiber* next = loop.next_fiber(&self);
    if (next == &self) continue;
    loop.recycle(self);
    loop.go_to(next, self);
  }
}

inline void Loop::go_to(Fiber* next, Flow& from) noexcept {
  if (next) {
    running_.store(next, std::memory_order_relaxed);
    from.switch_to(*next);
  } else {
    from.switch_to(*flow_);
  }
}

void Loop::suspend() noexcept {
  Fiber* const self = running();
  Fiber* next = next_resumed();
  if (!next) next = next_fiber(nullptr);
  if (next != self) go_to(next, *self);
}

void Loop::yield() noexcept {
  ready_.push(*running());
  suspend();
}

void Loop::park(Fiber& fiber, Expiry expiry) noexcept {
  ++counts_.parks;
  fiber.parked_since = turn_began_.load(std::memory_order_relaxed);
  if (!expiry.is_never()) {
    ++counts_.timers_started;
    timers_.start(fiber.timer, expiry.when());
  }
  suspend();
  timers_.cancel(fiber.timer);
}

LoopCounters Loop::counters() const noexcept {
  return {.loop = index(),
          .switches = counts_.switches,
          .parks = counts_.parks,
          .wakes_here = counts_.wakes_here,
          .wakes_across = counts_.wakes_across,
          .turns = counts_.turns,
          .polls = counts_.polls,
          .sleeps = counts_.sleeps,
          .submits = engine_->submits(),
          .engine_calls = engine_->calls(),
          .timers_started = counts_.timers_started,
          .timers_fired = counts_.timers_fired,
          .tasks = counts_.tasks,
          .unstarted = unstarted_,
          .fibers_live = live_count_,
          .fibers_idle = idle_count_,
          .fibers_created = counts_.fibers_created,
          .stacks_mapped = stacks_.mapped(),
          .stacks_free = stacks_.free()};
}

Fiber* Loop::idle_fiber() {
  if (Fiber* fiber = idle_) {
    idle_ = fiber->next_idle;
    --idle_count_;
    return fiber;
  }
  const Stack stack = stacks_.take();
  ++counts_.fibers_created;
  // The fiber itself lives at the high end of its stack, on the page that is touched anyway: not always at the same
  // place in the page, since a thousand fibers would then share the few cache lines that such an address maps to.
  const std::uintptr_t colour = (colour_++ % kStackColours) * 64;
  auto* place = reinterpret_cast<std::byte*>((reinterpret_cast<std::uintptr_t>(stack.high) - sizeof(Fiber) - colour) &
                                             ~std::uintptr_t{63});
  return new (place) Fiber(*this, stack, place, &Loop::fiber_entry);
}

// Puts a fiber by, or gives its memory back when enough of them rest already. Runs on the fiber's own stack.
void Loop::recycle(Fiber& fiber) noexcept {
  fiber.next_idle = idle_;
  idle_ = &fiber;
  ++idle_count_;
  if (idle_count_ <= kWarmFibers) return;
  // The second one of the list is not the one that is running.
  Fiber* surplus = fiber.next_idle;
  fiber.next_idle = surplus->next_idle;
  --idle_count_;
  release(*surplus);
}

void Loop::release(Fiber& fiber) noexcept {
  const Stack stack = fiber.own_stack;
  fiber.~Fiber();
  stacks_.give_back(stack);
}

void Loop::cancel_all() noexcept {
  for (Fiber* fiber = live_; fiber; fiber = fiber->next_live) fiber->task->cancel_here();
}

// Watches ---------------------------------------------------------------------------------------------------------

void Loop::add_watch_block() {
  const std::size_t first = watches_.size() * kWatchesABlock;
  free_watches_.reserve(first + kWatchesABlock);  // so that retiring one never allocates
  WatchBlock& block = *watches_.emplace_back(std::make_unique<WatchBlock>());
  for (std::size_t i = kWatchesABlock; i-- > 0;) {  // the first is to be taken first
    block[i].loop = this;
    block[i].slot = static_cast<std::uint32_t>(first + i);
    free_watches_.push_back(block[i].slot);
  }
}

Watch& Loop::add_watch(int fd, bool bound) {
  if (free_watches_.empty()) add_watch_block();
  Watch& watch = watch_at(free_watches_.back());
  watch.fd = fd;
  watch.bound = bound;
  watch.ready[0] = watch.ready[1] = watch.more_behind = false;
  watch.waiters[0] = watch.waiters[1] = nullptr;
  watch.eager = nullptr;
  watch.next = nullptr;
  watch.listen = nullptr;
  engine_->add(watch);
  free_watches_.pop_back();
  return watch;
}

void Loop::retire(Watch& watch) noexcept {
  watch.retire_message.deliver = [](Message& message, Loop& loop) noexcept {
    auto& retired = reinterpret_cast<Watch&>(message);
    ++retired.generation;
    loop.free_watches_.push_back(retired.slot);
  };
  static_assert(std::is_standard_layout_v<Watch>);  // its first member is the message
  if (t_loop == this) {
    watch.retire_message.deliver(watch.retire_message, *this);
  } else {
    post(watch.retire_message);
  }
}

void Loop::report_again(Watch& watch) noexcept {
  struct Report : Message {
    explicit Report(const Watch& w) noexcept : slot(w.slot), generation(w.generation) {}
    std::uint32_t slot;
    std::uint32_t generation;
  };
  auto* report = new Report(watch);
  report->deliver = [](Message& message, Loop& loop) noexcept {
    const auto* arrived = static_cast<Report*>(&message);
    if (Watch* again = loop.find_watch(arrived->slot, arrived->generation)) again->report(true, true, true);
    delete arrived;
  };
  post(*report);
}

void Watch::report(bool readable, bool writable, bool has_more_behind) noexcept {
  more_behind |= has_more_behind;
  const bool now[2] = {readable, writable};
  for (int side = 0; side < 2; ++side) {
    if (!now[side]) continue;
    ready[side] = true;
    if (!waiters[side]) continue;
    // Not when the wait has ended already, for another reason: what arrives is the next call's then.
    if (side == 0 && eager && waiters[side]->parked()) make_eager_call();
    waiters[side]->unpark();
  }
  if (listen) listen(listener);
}

void Watch::make_eager_call() noexcept {
  EagerCall& call = *eager;
  const ssize_t result = call.call(call.subject);
  if (result < 0 && (errno == EAGAIN || errno == EINTR)) return;  // the fiber tries for itself
  call.made = true;
  call.result = result;
  call.error = result < 0 ? errno : 0;
  // Now, and not when the fiber runs: until then more may be reported.
  if (result > 0 && static_cast<std::size_t>(result) < call.drained_below) came_short(Direction::read);
}

void Watch::drained(Direction direction) noexcept {
  if (sys::tampered(fd, direction == Direction::write)) loop->report_again(*this);
  ready[static_cast<std::size_t>(direction)] = false;
  if (direction == Direction::read) more_behind = false;
}

// A read also stops short at urgent data (tcp(7)), and what was reported together with it, another such place or the
// end, is not reported again: only EAGAIN tells that nothing is left. A write meets no end: an error that comes after
// it is reported anew.
void Watch::came_short(Direction direction) noexcept {
  if (direction == Direction::read && more_behind) return;
  if (sys::tampered(fd, direction == Direction::write)) loop->report_again(*this);
  ready[static_cast<std::size_t>(direction)] = false;
}

}  // namespace hawser::detail
