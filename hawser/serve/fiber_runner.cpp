#include <atomic>
#include <mutex>
#include <utility>
#include <vector>

#include <hawser/fiber/run.h>
#include <hawser/serve/runner.h>

namespace hawser::detail {

class FiberRunner final : public Runner {
 public:
  explicit FiberRunner(bool on_all_loops)
      : loads_(on_all_loops ? static_cast<std::size_t>(std::max(1, loop_count())) : 1) {}

  void start(std::shared_ptr<Job> job) override {
    const int loop = choose();
    job->loop_ = loop;
    load(loop).fetch_add(1, std::memory_order_relaxed);
    enter(*job);
    auto body = [entry = Entry(*this, job)]() mutable { entry.run(); };
    const AnyTask task = loop == loop_index() ? spawn(std::move(body)) : spawn_on(loop, std::move(body));
    const std::lock_guard hold(lock_);
    if (job->itself_) job->task_ = task;  // on another loop it may be over already
  }

  void cut_all() noexcept override {
    const std::lock_guard hold(lock_);
    for (Job* job = first_; job; job = job->next_) {
      if (job->task_.valid()) job->task_.kill();
    }
  }

 private:
  // Ends the job when it goes, whether its fiber has run or not.
  class Entry {
   public:
    Entry(FiberRunner& runner, std::shared_ptr<Job> job) noexcept : runner_(runner), job_(std::move(job)) {}
    Entry(Entry&&) noexcept = default;
    Entry& operator=(Entry&&) = delete;
    ~Entry() {
      if (!job_) return;
      runner_.load(job_->loop_).fetch_sub(1, std::memory_order_relaxed);
      runner_.leave(*job_);
    }
    void run() { job_->run(); }

   private:
    FiberRunner& runner_;
    std::shared_ptr<Job> job_;
  };

  std::atomic<std::size_t>& load(int loop) noexcept {
    return loads_.size() == 1 ? loads_[0].jobs : loads_[static_cast<std::size_t>(loop)].jobs;
  }

  // The loop with the fewest jobs; among equals they take turns.
  [[nodiscard]] int choose() noexcept {
    if (loads_.size() == 1) return loop_index();
    std::size_t best = next_;
    for (std::size_t i = 1; i < loads_.size(); ++i) {
      const std::size_t loop = (next_ + i) % loads_.size();
      if (loads_[loop].jobs.load(std::memory_order_relaxed) < loads_[best].jobs.load(std::memory_order_relaxed))
        best = loop;
    }
    next_ = (best + 1) % loads_.size();
    return static_cast<int>(best);
  }

  struct alignas(64) Load {
    std::atomic<std::size_t> jobs{0};
  };
  std::vector<Load> loads_;  // one each loop; a single one when all stay where they are started
  std::size_t next_ = 0;     // of the one context that deals them out
};

std::unique_ptr<Runner> make_fiber_runner(bool on_all_loops) { return std::make_unique<FiberRunner>(on_all_loops); }

}  // namespace hawser::detail
