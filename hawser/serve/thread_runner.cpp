// Requests in place, on the thread that serves, and on a thread each.
#include <utility>

#include <hawser/base/start_thread.h>
#include <hawser/serve/runner.h>

namespace hawser::detail {
namespace {

class InPlaceRunner final : public Runner {
 public:
  void start(std::shared_ptr<Job> job) override {
    enter(*job);
    job->run();
    leave(*job);
  }
  [[nodiscard]] bool in_place() const noexcept override { return true; }
};

class ThreadRunner final : public Runner {
 public:
  void start(std::shared_ptr<Job> job) override {
    enter(*job);
    try {
      // Detached, for nobody is there to join it in time; the runner is waited for until leave() was its last touch.
      start_thread("for a request", [this, job] {
        job->run();
        leave(*job);
      }).detach();
    } catch (...) {
      leave(*job);
      throw;
    }
  }
};

}  // namespace

std::unique_ptr<Runner> make_in_place_runner() { return std::make_unique<InPlaceRunner>(); }
std::unique_ptr<Runner> make_thread_runner() { return std::make_unique<ThreadRunner>(); }

}  // namespace hawser::detail
