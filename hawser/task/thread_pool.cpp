#include <hawser/task/thread_pool.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <hawser/task/thread_state.h>

namespace hawser {
namespace {

class Workers final : public detail::WorkerPool {
 public:
  using WorkerPool::WorkerPool;

 private:
  using Threads = std::vector<std::shared_ptr<detail::ThreadState>>;

  void start_worker(std::uint64_t number) override {
    // A daemon: what waits for the end of the program's work is the pool.
    auto thread = std::make_shared<detail::ThreadState>(name() + "-" + std::to_string(number), true);
    Threads gone;
    {
      std::lock_guard hold(mutex_);
      gone = std::move(gone_);
      gone_.clear();
      living_.emplace(number, thread);
    }
    try {
      thread->start([self = std::static_pointer_cast<Workers>(shared_from_this()), number] { self->work(number); });
    } catch (...) {
      std::lock_guard hold(mutex_);
      living_.erase(number);
      throw;
    }
  }

  void worker_leaves(std::uint64_t number) noexcept override {
    std::lock_guard hold(mutex_);
    const auto at = living_.find(number);
    if (at == living_.end()) return;
    gone_.push_back(std::move(at->second));
    living_.erase(at);
  }

  void join_workers() noexcept override {
    Threads all;
    {
      std::lock_guard hold(mutex_);
      all = std::move(gone_);
      gone_.clear();
      for (auto& [number, thread] : std::exchange(living_, {})) all.push_back(std::move(thread));
    }
    for (const auto& thread : all) thread->join_uninterrupted();
  }

  std::mutex mutex_;
  std::map<std::uint64_t, std::shared_ptr<detail::ThreadState>> living_;
  Threads gone_;
};

std::size_t processors() { return std::max(1U, std::thread::hardware_concurrency()); }

}  // namespace

ThreadPool::ThreadPool(std::size_t threads, ThreadPoolOptions options)
    : PoolExecutor(
          std::make_shared<Workers>(detail::WorkerPool::Settings{.name = std::move(options.name),
                                                                 .workers = threads ? threads : processors(),
                                                                 .max_queued = options.max_queued,
                                                                 .initializer = std::move(options.initializer)})) {}

}  // namespace hawser
