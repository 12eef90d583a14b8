#include <patch/loop_waits.h>

#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <iterator>
#include <memory>
#include <new>

#include <hawser/base/errors.h>
#include <hawser/fiber/engine.h>
#include <hawser/fiber/loop.h>
#include <patch/libc.h>

namespace hawser::patch {
namespace {

using detail::Loop;

// How many waits there are, by the lower bits of the descriptor's number: whoever closes one looks here first.
constexpr std::size_t kCounts = 4096;
constinit std::array<std::atomic<std::uint32_t>, kCounts> g_waits{};
std::atomic<std::uint32_t>& waits_for(int fd) noexcept { return g_waits[static_cast<std::size_t>(fd) % kCounts]; }

// Closes of descriptors that somebody may have been waiting for. A wait that began after a close is not meant by it.
constinit std::atomic<std::uint64_t> g_closes{0};

constinit thread_local LoopWaits* t_latest = nullptr;

}  // namespace

constinit std::atomic<LoopWaits*> LoopWaits::newest_{nullptr};

Wait::Wait(const char* call) noexcept : waiter(call), began(g_closes.load(std::memory_order_acquire)) {}

LoopWaits& LoopWaits::here() {
  Loop& loop = *Loop::current();
  if (t_latest && &t_latest->loop_ == &loop) return *t_latest;
  LoopWaits* found = newest_.load(std::memory_order_acquire);
  while (found && &found->loop_ != &loop) found = found->made_before_;
  if (!found) {
    std::unique_ptr<LoopWaits> made(new LoopWaits(loop));
    found = made.release();  // as loops are, it is never destroyed
    found->made_before_ = newest_.load(std::memory_order_relaxed);
    while (!newest_.compare_exchange_weak(found->made_before_, found, std::memory_order_release,
                                          std::memory_order_relaxed)) {
    }
  }
  t_latest = found;
  return *found;
}

LoopWaits::LoopWaits(Loop& loop) : loop_(loop), process_(::getpid()), epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_) throw_errno("epoll_create1", "");
  // As one that is bound: an engine then watches it for good instead of being asked at each wait.
  detail::Watch& watch = loop.add_watch(epoll_.get(), true);
  watch.listener = this;
  watch.listen = [](void* self) noexcept { static_cast<LoopWaits*>(self)->take_reports(); };
}

bool LoopWaits::add(Interest& interest) {
  const auto number = static_cast<std::size_t>(interest.fd);
  if (number >= descriptors_.size()) descriptors_.resize(number + 1);
  Descriptor& descriptor = descriptors_[number];
  interest.previous = nullptr;
  interest.next = descriptor.first;
  if (interest.next) interest.next->previous = &interest;
  descriptor.first = &interest;
  waits_for(interest.fd).fetch_add(1, std::memory_order_acq_rel);
  return arm(interest.fd);
}

void LoopWaits::remove(Interest& interest) noexcept {
  (interest.previous ? interest.previous->next : descriptors_[static_cast<std::size_t>(interest.fd)].first) =
      interest.next;
  if (interest.next) interest.next->previous = interest.previous;
  waits_for(interest.fd).fetch_sub(1, std::memory_order_acq_rel);
}

bool LoopWaits::arm(int fd) noexcept {
  Descriptor& descriptor = descriptors_[static_cast<std::size_t>(fd)];
  epoll_event event{.events = EPOLLONESHOT, .data = {.fd = fd}};
  for (const Interest* at = descriptor.first; at; at = at->next) {
    if (!at->wait->woken) event.events |= at->events;
  }
  // The number may belong to another file than the last time, or to the same.
  int how = descriptor.registered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
  int result = ::epoll_ctl(epoll_.get(), how, fd, &event);
  if (result < 0 && (errno == ENOENT || errno == EEXIST)) {
    how = how == EPOLL_CTL_MOD ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    result = ::epoll_ctl(epoll_.get(), how, fd, &event);
  }
  descriptor.registered = result == 0;
  return result == 0;
}

void LoopWaits::take_reports() noexcept {
  epoll_event events[64];
  int count = 0;
  do {
    count = libc().epoll_wait(epoll_.get(), events, std::size(events), 0);
    for (int i = 0; i < count; ++i) report(events[i].data.fd, events[i].events);
  } while (count == static_cast<int>(std::size(events)));
}

void LoopWaits::report(int fd, std::uint32_t events) noexcept {
  bool somebody_left = false;
  for (Interest* at = descriptors_[static_cast<std::size_t>(fd)].first; at; at = at->next) {
    if (at->wait->woken) continue;
    if (events & (at->events | EPOLLERR | EPOLLHUP)) {
      at->wait->woken = true;
      at->wait->waiter.unpark();
    } else {
      somebody_left = true;
    }
  }
  if (somebody_left && !arm(fd)) report(fd, EPOLLERR);  // it was closed: let them look
}

void LoopWaits::end_waits(int fd, std::uint64_t closes) noexcept {
  if (static_cast<std::size_t>(fd) >= descriptors_.size()) return;
  for (Interest* at = descriptors_[static_cast<std::size_t>(fd)].first; at; at = at->next) {
    if (at->wait->began >= closes) continue;
    at->wait->woken = at->wait->closed = true;
    at->wait->waiter.unpark();
  }
}

void LoopWaits::end_waits_everywhere(int fd) noexcept {
  if (fd < 0 || waits_for(fd).load(std::memory_order_acquire) == 0) return;
  struct Closed : detail::Message {
    LoopWaits* waits = nullptr;
    int fd = -1;
    std::uint64_t closes = 0;
  };
  const int saved = errno;
  const std::uint64_t closes = g_closes.fetch_add(1, std::memory_order_acq_rel) + 1;
  // A child that shares our memory (vfork(2)), or has a copy of it, closes descriptors of its own.
  const pid_t process = ::getpid();
  for (LoopWaits* waits = newest_.load(std::memory_order_acquire); waits; waits = waits->made_before_) {
    if (waits->process_ != process) continue;
    if (Loop::current() == &waits->loop_) {
      waits->end_waits(fd, closes);
      continue;
    }
    auto* closed = new (std::nothrow) Closed();
    if (!closed) continue;
    closed->waits = waits;
    closed->fd = fd;
    closed->closes = closes;
    closed->deliver = [](detail::Message& message, Loop&) noexcept {
      const auto* arrived = static_cast<Closed*>(&message);
      arrived->waits->end_waits(arrived->fd, arrived->closes);
      delete arrived;
    };
    waits->loop_.post(*closed);
  }
  errno = saved;
}

}  // namespace hawser::patch
