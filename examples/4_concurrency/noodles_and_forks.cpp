// Two eaters, one bowl of noodles, one fork: each takes one of the two and waits for the other. The deadlock, who is in
// it, and the cure.
#include <cstdio>
#include <functional>
#include <mutex>
#include <string_view>

#include <hawser/base/log.h>
#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>
#include <hawser/sync/barrier.h>
#include <hawser/sync/deadlock.h>
#include <hawser/sync/lock.h>

using namespace hawser;

void eat(const char* name, Lock& first, Lock& second, Barrier* both_have_one) {
  set_fiber_name(name);
  const std::lock_guard hold_first(first);
  if (both_have_one) both_have_one->wait();
  const std::lock_guard hold_second(second);
  std::printf("%s eats\n", name);
}

int main() {
  set_log_sink([](LogLevel, std::string_view) {});  // the report is printed below
  set_lock_tracking(true, OnDeadlock::raise);       // in a debug build it would be logged without this line
  return run([] {
    Lock noodles("noodles"), fork("fork");
    Barrier both_have_one(2);
    auto lin = spawn(eat, "Lin", std::ref(noodles), std::ref(fork), &both_have_one);
    auto wu = spawn(eat, "Wu", std::ref(fork), std::ref(noodles), &both_have_one);
    for (const auto& eater : {lin, wu}) {
      try {
        eater.get();
      } catch (const DeadlockDetected& found) {
        std::printf("%s\n", found.what());
      }
    }

    // The cure: everybody takes the locks in the same order.
    lin = spawn(eat, "Lin", std::ref(noodles), std::ref(fork), nullptr);
    wu = spawn(eat, "Wu", std::ref(noodles), std::ref(fork), nullptr);
    lin.get();
    wu.get();
    return 0;
  });
}
