#include <hawser/task/thread.h>

#include <atomic>
#include <stdexcept>
#include <typeinfo>

#include <hawser/base/log.h>

namespace hawser {
namespace {

std::string name_of(ThreadOptions& options) {
  return options.name.empty() ? detail::ThreadState::fresh_name() : std::move(options.name);
}

}  // namespace

Thread::Thread(ThreadOptions options)
    : AnyThread(std::make_shared<detail::ThreadState>(name_of(options), options.daemon)) {}

void Thread::start() {
  if (state_->started()) throw std::logic_error("thread '" + name() + "' can only be started once");
  if (typeid(*this) == typeid(Thread)) {
    // It needs this object no more, which may go when the thread is a daemon.
    const auto handed = std::make_shared<std::shared_ptr<Target>>(std::move(target_));
    try {
      state_->start([handed] {
        if (const auto target = std::move(*handed)) target->call();
      });
    } catch (...) {
      target_ = std::move(*handed);
      throw;
    }
    return;
  }
  in_run_ = std::make_shared<std::atomic<bool>>(true);
  try {
    state_->start([this, in_run = in_run_] {
      struct Out {
        std::atomic<bool>& flag;
        ~Out() { flag.store(false, std::memory_order_release); }
      } out{*in_run};
      run();
    });
  } catch (...) {
    in_run_.reset();
    throw;
  }
}

void Thread::run() {
  if (target_) target_->call();
}

void Thread::set_daemon(bool daemon) {
  if (state_->started()) throw std::logic_error("thread '" + name() + "' is started: it can't become a daemon");
  state_->set_daemon(daemon);
}

void Thread::finish() noexcept {
  if (state_->started() && !state_->is_current()) state_->join_uninterrupted();
}

Thread::~Thread() {
  if (in_run_ && in_run_->load(std::memory_order_acquire)) {
    log_line(LogLevel::error, "thread '" + name() + "' is destroyed while its run() is under way: join it before");
    std::terminate();
  }
  if (!daemon()) finish();
}

AnyThread current_thread() { return AnyThread(detail::ThreadState::current()); }

AnyThread main_thread() { return AnyThread(detail::ThreadState::main()); }

std::vector<AnyThread> enumerate() {
  std::vector<AnyThread> threads;
  for (auto& state : detail::ThreadState::all()) threads.push_back(AnyThread(std::move(state)));
  return threads;
}

std::size_t active_count() { return enumerate().size(); }

}  // namespace hawser
