#include <hawser/process/shared_queue.h>

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <new>
#include <stdexcept>

#include <hawser/base/bell.h>
#include <hawser/base/errors.h>
#include <hawser/base/system_calls.h>
#include <hawser/fiber/pollable.h>
#include <hawser/fiber/run.h>
#include <hawser/fiber/spin.h>
#include <hawser/sync/queue_errors.h>

namespace hawser::detail {
namespace {

using Length = std::uint64_t;
constexpr std::size_t kHead = sizeof(Length);
// While the mutex is somebody's, or there is room but not for this message.
constexpr Duration kNap = std::chrono::milliseconds(1);
constexpr int kTries = 256;

const char* const kBellNames[] = {"get", "put", "join"};
const std::string kName = "process queue";

void nap(Expiry expiry) {
  const Timeout left = expiry.left();
  sleep(left && *left < kNap ? *left : kNap);
}

}  // namespace

struct SharedQueue::Index {
  std::uint64_t head = 0;  // of the first message: bytes since the beginning
  std::uint64_t tail = 0;  // after the last
  std::uint64_t items = 0;
  std::uint64_t unfinished = 0;
  bool shut = false;
};

struct SharedQueue::Shared {
  pthread_mutex_t mutex;
  Index indexes[2];
  std::atomic<std::uint32_t> current{0};
  bool rung[3] = {};  // that the bell is rung; when false it may be
  alignas(64) std::byte ring[1];
};

// The mutex, tried for. Not held when the expiry came first.
class SharedQueue::Hold {
 public:
  Hold(SharedQueue& queue, Expiry expiry) : mutex_(queue.shared_->mutex) {
    for (;;) {
      for (int round = 0; round < kTries; ++round) {
        if (try_lock()) return;
        pause_or_yield(round);
      }
      if (expiry.passed()) return;
      nap(expiry);
    }
  }
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;
  ~Hold() { release(); }
  explicit operator bool() const noexcept { return held_; }
  void release() noexcept {
    if (held_) ::pthread_mutex_unlock(&mutex_);
    held_ = false;
  }

 private:
  bool try_lock() {
    const int result = ::pthread_mutex_trylock(&mutex_);
    if (result == EOWNERDEAD) ::pthread_mutex_consistent(&mutex_);
    held_ = result == 0 || result == EOWNERDEAD;
    if (!held_ && result != EBUSY) throw SystemError(result, "lock", kName);
    return held_;
  }
  pthread_mutex_t& mutex_;
  bool held_ = false;
};

SharedQueue::SharedQueue(std::size_t max_items, std::size_t capacity) : max_items_(max_items), capacity_(capacity) {
  if (capacity <= kHead) throw std::invalid_argument("a process queue needs room for a message");
  for (UniqueFd& bell : bells_) bell = make_bell();
  void* const memory =
      sys::mmap(nullptr, sizeof(Shared) + capacity, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw_errno("mmap", kName);
  shared_ = ::new (memory) Shared();
  pthread_mutexattr_t robust;
  ::pthread_mutexattr_init(&robust);
  ::pthread_mutexattr_setpshared(&robust, PTHREAD_PROCESS_SHARED);
  ::pthread_mutexattr_setrobust(&robust, PTHREAD_MUTEX_ROBUST);
  ::pthread_mutex_init(&shared_->mutex, &robust);
  ::pthread_mutexattr_destroy(&robust);
}

// The mutex is not destroyed: another process may use it.
SharedQueue::~SharedQueue() { ::munmap(shared_, sizeof(Shared) + capacity_); }

const SharedQueue::Index& SharedQueue::index() const noexcept {
  return shared_->indexes[shared_->current.load(std::memory_order_acquire) & 1];
}

void SharedQueue::commit(const Index& next) noexcept {
  const std::uint32_t other = 1 - (shared_->current.load(std::memory_order_relaxed) & 1);
  shared_->indexes[other] = next;
  shared_->current.store(other, std::memory_order_release);
}

bool SharedQueue::takes_more(const Index& now) const noexcept {
  return (max_items_ == 0 || now.items < max_items_) && capacity_ - (now.tail - now.head) >= kHead;
}

bool SharedQueue::has_room(const Index& now, std::size_t message) const noexcept {
  return takes_more(now) && capacity_ - (now.tail - now.head) >= kHead + message;
}

void SharedQueue::ring(Bell bell) noexcept {
  if (shared_->rung[bell]) return;
  ring_bell(bells_[bell].get());
  shared_->rung[bell] = true;
}

void SharedQueue::silence(Bell bell) noexcept {
  shared_->rung[bell] = false;
  silence_bell(bells_[bell].get());
}

// Each wait has a descriptor of its own: a Pollable has room for one at a time.
bool SharedQueue::wait(Bell bell, Expiry expiry) {
  if (expiry.passed()) return false;
  Pollable rung(duplicate(bells_[bell].get()));
  Pollable::Use use(rung, Direction::read, kBellNames[bell], kName);
  use.drained();
  const Wake why = use.wait(expiry);
  if (why == Wake::expired) return false;
  throw_unless_ready(why, std::string(kBellNames[bell]) + " " + kName);
  return true;
}

void SharedQueue::copy_in(std::uint64_t at, const void* from, std::size_t size) noexcept {
  const auto offset = static_cast<std::size_t>(at % capacity_);
  const std::size_t first = std::min(size, capacity_ - offset);
  if (first) std::memcpy(shared_->ring + offset, from, first);
  if (size > first) std::memcpy(shared_->ring, static_cast<const std::byte*>(from) + first, size - first);
}

void SharedQueue::copy_out(std::uint64_t at, void* into, std::size_t size) const noexcept {
  const auto offset = static_cast<std::size_t>(at % capacity_);
  const std::size_t first = std::min(size, capacity_ - offset);
  if (first) std::memcpy(into, shared_->ring + offset, first);
  if (size > first) std::memcpy(static_cast<std::byte*>(into) + first, shared_->ring, size - first);
}

bool SharedQueue::put(BytesView message, Expiry expiry) {
  if (message.size() > capacity_ - kHead) {
    throw std::length_error("put: an item of " + std::to_string(message.size()) + " bytes into a queue of " +
                            std::to_string(capacity_));
  }
  for (;;) {
    Hold hold(*this, expiry);
    if (!hold) return false;
    Index next = index();
    if (next.shut) throw ShutDown();
    if (has_room(next, message.size())) {
      const Length length = message.size();
      copy_in(next.tail, &length, kHead);
      copy_in(next.tail + kHead, message.data(), message.size());
      next.tail += kHead + message.size();
      ++next.items;
      ++next.unfinished;
      ring(item);
      commit(next);
      return true;
    }
    const bool some_room = takes_more(next);
    if (!some_room) silence(room);
    hold.release();
    if (some_room) {
      if (expiry.passed()) return false;
      nap(expiry);
    } else if (!wait(room, expiry)) {
      return false;
    }
  }
}

std::optional<std::string> SharedQueue::get(Expiry expiry) {
  for (;;) {
    Hold hold(*this, expiry);
    if (!hold) return std::nullopt;
    Index next = index();
    if (next.items > 0) {
      Length length = 0;
      copy_out(next.head, &length, kHead);
      if (length > next.tail - next.head - kHead) throw std::logic_error("a process queue whose memory is damaged");
      std::string message(static_cast<std::size_t>(length), '\0');
      copy_out(next.head + kHead, message.data(), message.size());
      next.head += kHead + length;
      --next.items;
      ring(room);
      commit(next);
      return message;
    }
    if (next.shut) throw ShutDown();
    silence(item);
    hold.release();
    if (!wait(item, expiry)) return std::nullopt;
  }
}

void SharedQueue::task_done() {
  const Hold hold(*this, Expiry::never());
  Index next = index();
  if (next.unfinished == 0) throw std::logic_error("task_done: called more often than items were put");
  if (--next.unfinished == 0) ring(idle);
  commit(next);
}

bool SharedQueue::join(Expiry expiry) {
  for (;;) {
    Hold hold(*this, expiry);
    if (!hold) return false;
    if (index().unfinished == 0) return true;
    silence(idle);
    hold.release();
    if (!wait(idle, expiry)) return false;
  }
}

void SharedQueue::shutdown(bool immediate) {
  const Hold hold(*this, Expiry::never());
  Index next = index();
  next.shut = true;
  if (immediate) {
    next.head = next.tail;
    next.items = next.unfinished = 0;
    ring(idle);
  }
  ring(item);
  ring(room);
  commit(next);
}

std::size_t SharedQueue::size() const noexcept { return static_cast<std::size_t>(index().items); }

bool SharedQueue::full() const noexcept { return !takes_more(index()); }

}  // namespace hawser::detail
