#include <hawser/process/process_pool.h>

#include <hawser/process/current_process.h>

namespace hawser {

ProcessPool::ProcessPool(std::size_t workers, ProcessPoolOptions options)
    : core_(std::make_unique<detail::PoolCore>(
          detail::PoolSettings{.workers = workers ? workers : cpu_count(),
                               .name = std::move(options.name),
                               .initializer = options.initializer.call(),
                               .max_tasks_per_worker = options.max_tasks_per_worker,
                               .max_queued = options.max_queued,
                               .limit = options.limit,
                               .deaths_in_a_row = std::max<std::size_t>(1, options.deaths_in_a_row)})) {}

// A forked child has no thread to wait for: it leaves the memory where it is.
ProcessPool::~ProcessPool() {
  if (!core_->is_here()) static_cast<void>(core_.release());
}

}  // namespace hawser
