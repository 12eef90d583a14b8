#include <hawser/process/pool_worker.h>

#include <cxxabi.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <typeinfo>

#include <hawser/base/clock.h>
#include <hawser/base/errors.h>
#include <hawser/process/pool_spin.h>
#include <hawser/process/pool_task.h>
#include <hawser/process/receive_buffer.h>

namespace hawser::detail {
namespace {

// The calls, as they come.
class Calls {
 public:
  explicit Calls(int socket) : socket_(socket) {}

  // Nothing when the pool has closed. Good until the next one.
  std::optional<BytesView> next() {
    arrived_.use(std::exchange(last_, 0));
    for (;;) {
      const BytesView there = arrived_.there();
      PoolTask::Length length = 0;
      if (there.size() >= sizeof length) {
        std::memcpy(&length, there.data(), sizeof length);
        if (there.size() - sizeof length >= length) {
          last_ = sizeof length + length;
          return there.from(sizeof length).first(length);
        }
      }
      const ssize_t got = receive_into(arrived_.room());
      if (got <= 0) return std::nullopt;
      arrived_.received(static_cast<std::size_t>(got));
    }
  }

 private:
  // Polls for a moment before it sleeps, where that lately paid.
  ssize_t receive_into(std::span<std::byte> room) {
    ssize_t got = ::recv(socket_, room.data(), room.size(), MSG_DONTWAIT);
    if (got >= 0 || errno != EAGAIN) return wait(got, room);
    if (spin_.worth_it()) {
      const auto end = Clock::now() + PoolSpin::kBudget;
      do {
        ::sched_yield();
        got = ::recv(socket_, room.data(), room.size(), MSG_DONTWAIT);
      } while (got < 0 && errno == EAGAIN && Clock::now() < end);
      spin_.polled(got > 0);
      if (got >= 0) return got;
    }
    const auto began = Clock::now();
    got = wait(-1, room);
    spin_.slept(Clock::now() - began);
    return got;
  }

  ssize_t wait(ssize_t got, std::span<std::byte> room) {
    while (got < 0 && (errno == EINTR || errno == EAGAIN)) got = ::recv(socket_, room.data(), room.size(), 0);
    return got;
  }

  int socket_;
  ReceiveBuffer arrived_;
  std::size_t last_ = 0;  // the call that was given last
  PoolSpin spin_;
};

// An answer that is too long would be taken for nonsense, and cost the worker its life.
RemoteFailure cut_to(std::size_t most, RemoteFailure failure) {
  constexpr std::size_t kBeside = 64;  // what the archive writes beside the two, and some more
  most -= kBeside;
  failure.type_name.resize(std::min(failure.type_name.size(), most / 2));
  failure.message.resize(std::min(failure.message.size(), most - failure.type_name.size()));
  return failure;
}

class Worker {
 public:
  explicit Worker(const WorkerStart& start) : socket_(start.socket), limit_(start.limit), calls_(start.socket) {
    void* const memory = ::mmap(nullptr, sizeof(WorkerPage), PROT_READ | PROT_WRITE, MAP_SHARED, start.page, 0);
    if (memory == MAP_FAILED) throw_errno("mmap", "the page of a worker");
    page_ = static_cast<WorkerPage*>(memory);
    ::close(start.page);
  }

  void serve(const std::string& initializer) {
    if (!initializer.empty() && run(initializer).says == WorkerSays::failure) {
      frame().says = WorkerSays::broken;
      send();
      return;
    }
    out_.assign(sizeof(WorkerFrame), '\0');
    send();
    while (const auto call = calls_.next()) {
      if (call->empty()) {
        page_->begun.fetch_sub(WorkerPage::kTakenBack);
      } else if (begin()) {
        run(*call);
        if (!send()) return;
      }
    }
  }

 private:
  bool begin() {
    std::uint64_t count = page_->begun.load();
    while (count < WorkerPage::kTakenBack) {
      if (page_->begun.compare_exchange_weak(count, count + 1)) return true;
    }
    return false;
  }

  // Leaves the answer in out_.
  const WorkerFrame& run(BytesView call) {
    const auto began = Clock::now();
    out_.assign(sizeof(WorkerFrame), '\0');
    WorkerSays says = WorkerSays::value;
    try {
      ArchiveReader reader(call);
      ArchiveWriter writer(out_);
      CodeAddress entry;
      reader(entry);
      reinterpret_cast<PoolEntry>(entry.here())(reader, writer);
      if (out_.size() - sizeof(WorkerFrame) > limit_) {
        throw std::length_error("a result of " + std::to_string(out_.size() - sizeof(WorkerFrame)) +
                                " bytes, where the limit is " + std::to_string(limit_));
      }
    } catch (...) {
      out_.assign(sizeof(WorkerFrame), '\0');
      append_bytes(out_, cut_to(std::max<std::size_t>(limit_, kMostOfFailure), current_failure()));
      says = WorkerSays::failure;
    }
    frame().says = says;
    frame().nanoseconds = static_cast<std::uint64_t>(Duration(Clock::now() - began).count());
    return frame();
  }

  WorkerFrame& frame() { return *reinterpret_cast<WorkerFrame*>(out_.data()); }

  // False when the pool has gone.
  bool send() {
    frame().length = static_cast<std::uint32_t>(out_.size() - sizeof(WorkerFrame));
    for (std::size_t sent = 0; sent < out_.size();) {
      const ssize_t put = ::send(socket_, out_.data() + sent, out_.size() - sent, MSG_NOSIGNAL);
      if (put < 0 && errno == EINTR) continue;
      if (put <= 0) return false;
      sent += static_cast<std::size_t>(put);
    }
    return true;
  }

  int socket_;
  std::size_t limit_;
  Calls calls_;
  WorkerPage* page_ = nullptr;
  std::string out_;
};

}  // namespace

RemoteFailure current_failure() {
  RemoteFailure failure{.type_name = "an exception", .message = {}};
  if (const std::type_info* const type = abi::__cxa_current_exception_type()) {
    int status = 0;
    const std::unique_ptr<char, decltype(&std::free)> name(abi::__cxa_demangle(type->name(), nullptr, nullptr, &status),
                                                           &std::free);
    failure.type_name = name ? name.get() : type->name();
  }
  try {
    throw;
  } catch (const std::exception& error) {
    failure.message = error.what();
  } catch (...) {
    failure.message = "not a std::exception";
  }
  return failure;
}

void run_worker(ArchiveReader& message) {
  WorkerStart start;
  message(start);
  Worker(start).serve(start.initializer);
}

}  // namespace hawser::detail
