// Threads, as Python's threading has them: a function, a class of one's own, names, and what they share.
#include <cstdio>
#include <stdexcept>
#include <string>

#include <hawser/fiber/run.h>
#include <hawser/sync/lock.h>
#include <hawser/task/thread.h>

#include <mutex>

using namespace hawser;
using namespace std::chrono_literals;

namespace {

int total = 0;             // there is one of it, whoever looks
thread_local int own = 0;  // each thread has its own
Lock guard;

void count_to(int last) {
  for (int number = 1; number <= last; ++number) {
    ++own;
    const std::lock_guard hold(guard);
    ++total;
  }
  const std::lock_guard hold(guard);
  std::printf("%s counted %d of its own\n", current_thread().name().c_str(), own);
}

struct Greeter : Thread {
  explicit Greeter(std::string who) : Thread({.name = "greeter"}), who_(std::move(who)) {}
  ~Greeter() override { finish(); }
  void run() override { std::printf("hello, %s\n", who_.c_str()); }

 private:
  std::string who_;
};

}  // namespace

int main() {
  Thread one(count_to, 1000, {.name = "one"});
  Thread two(count_to, 2000, {.name = "two"});
  one.start();
  one.join();
  two.start();
  two.join();
  std::printf("together %d, and the main thread %d\n", total, own);

  Greeter greeter("world");
  greeter.start();
  greeter.join();

  Thread slow([] { sleep(200ms); }, {.name = "slow"});
  slow.start();
  std::printf("%zu threads live; slow has %s\n", active_count(), slow.join(1ms) ? "ended" : "not ended");
  slow.join();

  Thread careless([] { throw std::runtime_error("no such table"); });
  careless.start();
  try {
    careless.join();
  } catch (const std::runtime_error& error) {
    std::printf("join() says: %s\n", error.what());
  }
}
