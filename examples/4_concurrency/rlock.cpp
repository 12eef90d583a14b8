// RLock: its owner may take it again, so one guarded function can call another. Nobody else may even release it.
#include <fmt/format.h>

#include <mutex>
#include <stdexcept>

#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>
#include <hawser/sync/rlock.h>

using namespace hawser;

class Folder {
 public:
  void add(int files) {
    std::lock_guard hold(lock_);
    files_ += files;
    fmt::print("{} files, the lock is held {} deep\n", files_, lock_.depth());
  }
  void add_twice(int files) {
    std::lock_guard hold(lock_);  // nobody sees the folder between the two
    add(files);
    add(files);
  }
  RLock& lock() { return lock_; }

 private:
  RLock lock_;
  int files_ = 0;
};

int main() {
  return run([] {
    Folder folder;
    folder.add_twice(3);

    std::lock_guard hold(folder.lock());
    spawn([&] {
      fmt::print("another fiber {} the lock\n", folder.lock().try_lock() ? "takes" : "does not get");
      try {
        folder.lock().release();
      } catch (const std::logic_error& error) {
        fmt::print("{}\n", error.what());
      }
    }).get();
    return 0;
  });
}
