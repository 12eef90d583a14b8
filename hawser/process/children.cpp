#include <hawser/process/children.h>

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <new>
#include <utility>
#include <vector>

#include <hawser/base/fork.h>
#include <hawser/base/made_once.h>

namespace hawser {
namespace detail {
namespace {

struct Children {
  Children() { hold_over_fork(mutex, ForkOrder::outer, &Children::in_child, this); }

  std::mutex mutex;
  std::vector<std::shared_ptr<Child>> all;
  bool end_at_exit = false;

  // A forked child has none of them. What the list holds is left where it is: freeing it here could wait for a lock.
  static void in_child(void* self) noexcept {
    ::new (&static_cast<Children*>(self)->all) std::vector<std::shared_ptr<Child>>();
  }
};

constinit MadeOnce<Children> g_children;
[[maybe_unused]] const bool g_made_early = (g_children.get(), true);

}  // namespace

void add_child(std::shared_ptr<Child> child) {
  Children& children = g_children.get();
  const std::lock_guard hold(children.mutex);
  if (!children.end_at_exit) children.end_at_exit = std::atexit([] { end_children(); }) == 0;
  children.all.push_back(std::move(child));
}

void remove_child(const Child& child) noexcept {
  Children& children = g_children.get();
  const std::lock_guard hold(children.mutex);
  std::erase_if(children.all, [&](const auto& each) { return each.get() == &child; });
}

void end_children() noexcept {
  Children& children = g_children.get();
  std::vector<std::shared_ptr<Child>> all;
  {
    const std::lock_guard hold(children.mutex);
    all.swap(children.all);
  }
  for (const auto& child : all) {
    if (child->daemon) child->process.stop(kDaemonGrace);
  }
  for (const auto& child : all) child->process.wait_to_the_end();
}

}  // namespace detail

std::vector<ProcessInfo> active_children() {
  detail::Children& children = detail::g_children.get();
  std::vector<ProcessInfo> alive;
  const std::lock_guard hold(children.mutex);
  std::erase_if(children.all, [](const auto& child) { return child->process.poll().has_value(); });
  for (const auto& child : children.all) {
    alive.push_back({.pid = child->process.pid(),
                     .parent_pid = child->parent,
                     .name = child->process.name(),
                     .daemon = child->daemon});
  }
  return alive;
}

}  // namespace hawser
