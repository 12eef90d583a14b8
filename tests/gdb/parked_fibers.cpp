// A program for a debugger to stop in: two fibers are parked, the main one runs into stop_here().
#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>
#include <hawser/fiber/waiter.h>

extern "C" [[gnu::noinline]] void stop_here() { asm volatile(""); }

namespace {

[[gnu::noinline]] void wait_for_the_bell(hawser::Waiter& bell) {
  static_cast<void>(bell.park());
  asm volatile("");
}

[[gnu::noinline]] void serve_a_guest(hawser::Waiter*& where) {
  hawser::Waiter bell("bell");
  where = &bell;
  wait_for_the_bell(bell);
  asm volatile("");
}

[[gnu::noinline]] void cook_a_meal() {
  stop_here();
  asm volatile("");
}

}  // namespace

int main() {
  return hawser::run([] {
    hawser::Waiter* bells[2] = {};
    auto first = hawser::spawn([&] { serve_a_guest(bells[0]); });
    auto second = hawser::spawn([&] { serve_a_guest(bells[1]); });
    first.set_name("first guest");
    second.set_name("second guest");
    hawser::yield();
    cook_a_meal();
    for (hawser::Waiter* bell : bells) bell->unpark();
    first.join();
    second.join();
    return 0;
  });
}
