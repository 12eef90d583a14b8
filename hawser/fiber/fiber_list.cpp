#include <hawser/fiber/fiber_list.h>

#include <unordered_set>

#include <hawser/fiber/context.h>
#include <hawser/fiber/loop.h>
#include <hawser/fiber/task_state.h>
#include <hawser/fiber/wait_graph.h>
#include <hawser/fiber/waiter.h>

namespace hawser::detail {
namespace {

void describe_wait(const Fiber& fiber, FiberEntry& entry) {
  const Waiter& waiter = *fiber.waiter;
  entry.waits_for = waiter.what();
  if (waiter.object() && !waiter.object()->empty()) entry.waits_for.append(" ").append(*waiter.object());
  if (waiter.name()) entry.waits_for.append(" '").append(waiter.name()).append("'");
  if (const Identity holder = waiter.holder()) entry.waits_for.append(" held by ").append(name_holder(holder));
  entry.fd = waiter.fd();
  entry.since = Clock::time_point(Duration(fiber.parked_since));
  entry.until = fiber.park_expiry.when();
}

}  // namespace

FiberList FiberList::of(Loop& loop, std::size_t most, bool stacks) {
  FiberList list;
  list.loop = loop.index();
  list.engine = loop.engine().name();
  const Fiber* running = loop.running();
  std::unordered_set<const Runnable*> ready;
  std::vector<FiberEntry> unstarted;
  loop.for_each_ready([&](const Runnable& runnable) {
    if (runnable.kind() == Runnable::Kind::fiber) {
      ready.insert(&runnable);
      return;
    }
    ++list.fibers;
    if (unstarted.size() >= most) return;
    FiberEntry& entry = unstarted.emplace_back();
    entry.name = static_cast<const TaskState&>(runnable).name();
    entry.state = FiberState::unstarted;
  });
  loop.for_each_live([&](const Fiber& fiber) {
    ++list.fibers;
    if (list.entries.size() >= most) return;
    FiberEntry& entry = list.entries.emplace_back();
    entry.name = fiber.task->name();
    entry.cancel_requested = fiber.cancel_requested;
    Backtrace trace;
    if (&fiber == running) {
      entry.state = FiberState::running;
      if (stacks) trace.take();
    } else {
      if (fiber.waiter && !ready.contains(&fiber)) {
        entry.state = FiberState::parked;
        describe_wait(fiber, entry);
      }
      if (stacks) trace.take_from(fiber, fiber.own_stack);
    }
    entry.stack.assign(trace.frames().begin(), trace.frames().end());
  });
  for (FiberEntry& entry : unstarted) {
    if (list.entries.size() >= most) break;
    list.entries.push_back(std::move(entry));
  }
  return list;
}

}  // namespace hawser::detail
