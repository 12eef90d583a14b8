// Condition: waiting until something has become true, here until there is enough money.
#include <fmt/format.h>

#include <mutex>
#include <thread>

#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>
#include <hawser/sync/condition.h>
#include <hawser/sync/lock.h>

using namespace hawser;

class Account {
 public:
  void deposit(int amount) {
    std::lock_guard hold(lock_);
    balance_ += amount;
    changed_.notify_all();  // each looks for itself whether it is enough
  }
  // Waits for the money. The lock is free meanwhile, and held again when the predicate is asked and afterwards.
  void withdraw(int amount) {
    std::lock_guard hold(lock_);
    changed_.wait_for([&] { return balance_ >= amount; });
    balance_ -= amount;
  }
  int balance() {
    std::lock_guard hold(lock_);
    return balance_;
  }

 private:
  Lock lock_;
  Condition changed_{lock_};
  int balance_ = 0;
};

int main() {
  return run([] {
    Account account;
    auto rent = spawn([&] {
      account.withdraw(800);
      fmt::print("the rent is paid\n");
    });
    std::thread employer([&] {
      for (int week = 1; week <= 4; ++week) account.deposit(250);
    });
    rent.get();
    employer.join();
    fmt::print("{} are left\n", account.balance());
    return 0;
  });
}
