// How a pool learns that one of its workers waits for a future, which may need another worker to come. Internal.
#pragma once

#include <hawser/fiber/fiber_local.h>

namespace hawser::detail {

class WorkerHost {
 public:
  virtual void worker_waits() noexcept = 0;
  virtual void worker_goes_on() noexcept = 0;

  // The pool that the caller, a fiber or a thread outside fibers, is a worker of; null for everybody else.
  [[nodiscard]] static WorkerHost* of_caller() noexcept;

 protected:
  ~WorkerHost() = default;
};

// From now on until its end the caller is a worker of this pool. Throws std::bad_alloc.
class WorkerMark {
 public:
  explicit WorkerMark(WorkerHost& host);
  WorkerMark(const WorkerMark&) = delete;
  WorkerMark& operator=(const WorkerMark&) = delete;
  ~WorkerMark();
};

// Around a wait for futures.
class WaitingWorker {
 public:
  WaitingWorker() noexcept : host_(WorkerHost::of_caller()) {
    if (host_) host_->worker_waits();
  }
  WaitingWorker(const WaitingWorker&) = delete;
  WaitingWorker& operator=(const WaitingWorker&) = delete;
  ~WaitingWorker() {
    if (host_) host_->worker_goes_on();
  }

 private:
  WorkerHost* host_;
};

}  // namespace hawser::detail
