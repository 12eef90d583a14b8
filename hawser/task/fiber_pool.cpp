#include <hawser/task/fiber_pool.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include <hawser/fiber/loop.h>
#include <hawser/fiber/runtime.h>
#include <hawser/fiber/task.h>

namespace hawser {
namespace {

class Workers final : public detail::WorkerPool {
 public:
  Workers(Settings settings, bool all_loops)
      : WorkerPool(std::move(settings)),
        home_(*detail::Loop::current()),
        runtime_(*home_.runtime()),
        all_loops_(all_loops) {}

 private:
  // Tells a loop to start a worker. From any thread, also one outside run().
  struct Start : detail::Message {
    detail::TaskRef task;
  };

  // What a fiber holds. It may be cancelled before it begins.
  class Worker {
   public:
    Worker(std::shared_ptr<Workers> pool, std::uint64_t number) : pool_(std::move(pool)), number_(number) {}
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;
    ~Worker() {
      if (!came_) pool_->worker_never_came();
    }
    void work() {
      came_ = true;
      pool_->work(number_);
    }

   private:
    std::shared_ptr<Workers> pool_;
    std::uint64_t number_;
    bool came_ = false;
  };

  void start_worker(std::uint64_t number) override {
    detail::Loop& loop =
        all_loops_ ? runtime_.loop(static_cast<int>(number % static_cast<std::uint64_t>(runtime_.size()))) : home_;
    auto start = std::make_unique<Start>();
    auto worker = std::make_unique<Worker>(std::static_pointer_cast<Workers>(shared_from_this()), number);
    auto body = [worker = std::move(worker)] { worker->work(); };
    start->task = detail::make_task<void>(std::move(body));
    start->task->set_name(name() + "-" + std::to_string(number));
    start->task->loop = &loop;
    if (&loop == detail::Loop::current()) return loop.start(std::move(start->task));
    start->deliver = [](detail::Message& message, detail::Loop& there) noexcept {
      const std::unique_ptr<Start> arrived(static_cast<Start*>(&message));
      there.start(std::move(arrived->task));
    };
    loop.post(*start.release());
  }

  void worker_leaves(std::uint64_t /*number*/) noexcept override {}
  void join_workers() noexcept override {}

  detail::Loop& home_;
  detail::Runtime& runtime_;
  const bool all_loops_;
};

std::shared_ptr<Workers> make_workers(std::size_t fibers, FiberPoolOptions options) {
  if (!detail::Loop::current()) throw std::logic_error("FiberPool: outside run()");
  return std::make_shared<Workers>(detail::WorkerPool::Settings{.name = std::move(options.name),
                                                                .workers = fibers,
                                                                .max_queued = options.max_queued,
                                                                .initializer = std::move(options.initializer)},
                                   options.all_loops);
}

}  // namespace

FiberPool::FiberPool(std::size_t fibers, FiberPoolOptions options)
    : PoolExecutor(make_workers(fibers, std::move(options))) {}

}  // namespace hawser
