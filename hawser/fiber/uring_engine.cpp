// Readiness by polls that are asked for one at a time: a fiber about to park puts one into the queue of submissions,
// and the system call in which the loop sleeps hands all of them over. So registration costs no call, and when nobody
// waits the kernel holds no reference to the descriptor: closing it closes it.
//
// Sockets bound to an address are the exception. What a ring polls lives on until the kernel has taken the ring apart,
// some 10 ms after a process was killed, and its next life could not have the address meanwhile. So they are watched by
// an epoll instance, which holds on to nothing, and the ring polls that.
//
// A loop that sleeps is woken by a message from ring to ring where the waker has one too, which spares the way through
// a descriptor and its poll; by an eventfd otherwise.
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <optional>

#include <hawser/base/bell.h>
#include <hawser/base/errors.h>
#include <hawser/base/fd.h>
#include <hawser/base/system_calls.h>
#include <hawser/fiber/engine.h>
#include <hawser/fiber/loop.h>
#include <hawser/fiber/uring_ring.h>
#include <hawser/fiber/waiter.h>

namespace hawser::detail {
namespace {

// What a completion belongs to: a watch, with the direction as lowest bit; an engine for which a message was meant,
// with the next bit; or one of these.
constexpr std::uint64_t kNobody = 0;
constexpr std::uint64_t kBell = 2;
constexpr std::uint64_t kBound = 4;
constexpr std::uint64_t kMessage = 6;
constexpr std::uint64_t kEngineBit = 2;
static_assert(alignof(Watch) > 2 && alignof(Engine) > 2);

// What a direction waits for, and which of that says that a call would get on rather than that something is odd about
// the descriptor. Errors and hang-ups are reported unasked.
constexpr std::uint32_t kAskedFor[2] = {POLLIN | POLLPRI | POLLRDHUP, POLLOUT};
constexpr std::uint32_t kGettingOn[2] = {POLLIN | POLLRDHUP | POLLHUP, POLLOUT | POLLHUP};

constexpr std::uint32_t kBoundEvents = EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLET;

class UringEngine final : public Engine {
 public:
  UringEngine() : ring_(std::in_place) {
    bell_ = make_bell();
    bound_.reset(sys::epoll_create1(EPOLL_CLOEXEC));
    if (!bound_) throw_errno("epoll_create1", "");
  }

  [[nodiscard]] const char* name() const noexcept override { return "uring"; }

  void prepare(bool here) override {
    if (ring_ && (ring_->untouched() || (here && ring_->ours()))) return;
    ring_.reset();
    ring_.emplace();
    bell_armed_ = bound_armed_ = false;
  }
  void begin() override {
    ring_->begin();
    reached_at_.store(ring_->number(), std::memory_order_release);
  }
  void end() noexcept override {
    reached_at_.store(-1, std::memory_order_relaxed);
    ring_->end();
  }

  // The first call on a descriptor tries; a wait asks.
  void add(Watch& watch) override {
    watch.ready[0] = watch.ready[1] = true;
    for (Watch::Request& request : watch.requests) request.odd = request.repeated = false;
    if (watch.bound) add_bound(watch);
  }
  void forget(int fd) noexcept override {
    const int saved = errno;
    ::epoll_ctl(bound_.get(), EPOLL_CTL_DEL, fd, nullptr);  // most are not in there
    errno = saved;
  }

  void expect(Watch& watch, Direction direction) noexcept override {
    if (watch.bound) return;
    Watch::Request& request = watch.requests[side(direction)];
    // What was reported the last time was not what this wait is for, and is likely to be there still: an error that
    // nobody has fetched from its queue, say. It must not end the next wait at once, and again and again.
    request.repeated = request.odd;
    request.state = State::asked;
    send(watch, direction);
  }

  void settle(Watch& watch, Direction direction) noexcept override {
    Watch::Request& request = watch.requests[side(direction)];
    if (request.state == State::asked) request.state = State::none;  // the line will pass over it
    if (request.state == State::none) return;
    request.state = State::cancelled;
    send(watch, direction);
    Waiter waiter("end of a wait");
    watch.waiters[side(direction)] = &waiter;
    while (request.state != State::none) waiter.park_uninterrupted();
    watch.waiters[side(direction)] = nullptr;
  }

  void poll() override {
    if (!unsent_ && ring_->idle() && bound_armed_ == any_bound_) return;
    turn(Duration::zero());
  }
  void wait(Expiry expiry) override { turn(expiry.left()); }

  void wake() noexcept override {
    const int saved = errno;
    Loop* const waker = Loop::current();
    const bool has_ring = waker && waker->engine_kind() == EngineKind::uring;
    if (!has_ring || !static_cast<UringEngine&>(waker->engine()).send_message(*this)) ring_bell(bell_.get());
    errno = saved;
  }

 private:
  using State = Watch::Request::State;

  static std::size_t side(Direction direction) noexcept { return static_cast<std::size_t>(direction); }
  static std::uint64_t name_of(const Watch& watch, std::size_t at) noexcept {
    return reinterpret_cast<std::uint64_t>(&watch) | at;
  }

  // What the last system call brought is handed out first, a turn's worth at a time; the next call comes when it is
  // through.
  void turn(Timeout timeout) {
    if (!ring_->has_completions()) enter(timeout);
    ring_->take(kEventsATurn, [this](const io_uring_cqe& completion) { handle(completion); });
  }

  void enter(Timeout timeout) {
    if (!bell_armed_) bell_armed_ = arm(bell_.get(), kBell);
    if (any_bound_ && !bound_armed_) bound_armed_ = arm(bound_.get(), kBound);
    while (unsent_ && send_oldest()) {
    }
    if (unsent_) timeout = Duration::zero();
    const std::uint32_t before = ring_->unsubmitted();
    calls_.add(ring_->enter(timeout));
    submits_.add(before - ring_->unsubmitted());
  }

  // From our ring into the other's, at once: the fiber that runs here may go on for long. Who gets it may have woken by
  // itself meanwhile and even have ended: then it is one completion more, or an error that we hear of (handle()). False
  // when it could not be handed over.
  bool send_message(const UringEngine& other) noexcept {
    const int ring = other.reached_at_.load(std::memory_order_acquire);
    if (ring < 0 || !messages_work_ || &other == this) return false;
    io_uring_sqe* entry = ring_->next_submission();
    if (!entry) return false;
    entry->opcode = IORING_OP_MSG_RING;
    entry->flags = IOSQE_CQE_SKIP_SUCCESS;
    entry->fd = ring;
    entry->off = kMessage;
    entry->user_data = reinterpret_cast<std::uint64_t>(&other) | kEngineBit;
    ++calls_;
    const std::uint32_t before = ring_->unsubmitted();
    const bool handed_over = ring_->submit();
    submits_.add(before - ring_->unsubmitted());
    return handed_over;
  }

  // Edge mode: each ring of the bell is an event, and its counter never has to be read.
  bool arm(int fd, std::uint64_t name) noexcept {
    io_uring_sqe* entry = ring_->next_submission();
    if (!entry) return false;
    poll(*entry, fd, POLLIN, true);
    entry->user_data = name;
    return true;
  }

  void add_bound(Watch& watch) {
    any_bound_ = true;
    epoll_event event{.events = kBoundEvents, .data = {.ptr = &watch}};
    ++submits_;
    ++calls_;
    if (sys::epoll_ctl(bound_.get(), EPOLL_CTL_ADD, watch.fd, &event) == 0) return;
    // The number may still be registered from a former life of the descriptor that somebody keeps open.
    if (errno == EEXIST && sys::epoll_ctl(bound_.get(), EPOLL_CTL_MOD, watch.fd, &event) == 0) return;
    throw_errno("epoll_ctl", "descriptor " + std::to_string(watch.fd));
  }

  // A watch that serves another descriptor by now is tried once in vain; nothing worse.
  void look_at_bound() noexcept {
    epoll_event events[16];
    int count = 0;
    do {
      count = ::epoll_wait(bound_.get(), events, std::size(events), 0);
      for (int i = 0; i < count; ++i) report(*static_cast<Watch*>(events[i].data.ptr), events[i].events);
    } while (count == static_cast<int>(std::size(events)));
  }

  static void poll(io_uring_sqe& entry, int fd, std::uint32_t events, bool repeated) noexcept {
    entry.opcode = IORING_OP_POLL_ADD;
    entry.fd = fd;
    if constexpr (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__) events = events << 16 | events >> 16;
    entry.poll32_events = events;
    if (repeated) entry.len = IORING_POLL_ADD_MULTI;
  }

  // Into the queue of submissions, or to the end of the line when that is full.
  void send(Watch& watch, Direction direction) noexcept {
    const std::size_t at = side(direction);
    Watch::Request& request = watch.requests[at];
    if (request.queued || (!unsent_ && fill_in(watch, at))) return;
    request.queued = true;
    request.next = nullptr;
    request.watch = &watch;
    (last_unsent_ ? last_unsent_->next : unsent_) = &request;
    last_unsent_ = &request;
  }

  bool send_oldest() noexcept {
    Watch::Request& request = *unsent_;
    Watch& watch = *request.watch;
    const auto at = static_cast<std::size_t>(&request - watch.requests);
    if (request.state != State::none && !fill_in(watch, at)) return false;
    request.queued = false;
    unsent_ = request.next;
    if (!unsent_) last_unsent_ = nullptr;
    return true;
  }

  bool fill_in(Watch& watch, std::size_t at) noexcept {
    io_uring_sqe* entry = ring_->next_submission();
    if (!entry) return false;
    Watch::Request& request = watch.requests[at];
    if (request.state == State::cancelled) {
      entry->opcode = IORING_OP_ASYNC_CANCEL;
      entry->fd = -1;
      entry->addr = name_of(watch, at);
      entry->user_data = kNobody;
      return true;
    }
    poll(*entry, watch.fd, kAskedFor[at], request.repeated);
    entry->user_data = name_of(watch, at);
    request.state = State::under_way;
    return true;
  }

  void handle(const io_uring_cqe& completion) noexcept {
    const bool more = completion.flags & IORING_CQE_F_MORE;
    if (completion.user_data == kNobody || completion.user_data == kMessage) return;
    if (completion.user_data == kBell) {
      bell_armed_ = more;
      return;
    }
    if (completion.user_data == kBound) {
      bound_armed_ = more;
      return look_at_bound();
    }
    if (completion.user_data & kEngineBit) {  // a message that did not arrive
      if (completion.res == -EINVAL || completion.res == -EOPNOTSUPP) messages_work_ = false;  // before Linux 5.18
      return ring_bell(reinterpret_cast<UringEngine*>(completion.user_data & ~kEngineBit)->bell_.get());
    }
    auto& watch = *reinterpret_cast<Watch*>(completion.user_data & ~std::uint64_t{1});
    const std::size_t at = completion.user_data & 1;
    Watch::Request& request = watch.requests[at];
    if (completion.res >= 0) {
      const auto events = static_cast<std::uint32_t>(completion.res);
      const bool odd = !(events & kGettingOn[at]);
      const bool known = request.repeated && odd && more;
      request.repeated = false;
      if (!known) {
        request.odd = odd;
        report(watch, at, events);
      }
    } else if (completion.res != -ECANCELED) {
      report(watch, at, POLLERR);  // no memory, or no such descriptor: the call itself will tell
    }
    if (!more) end_of(watch, at);
  }

  static void report(Watch& watch, std::uint32_t events) noexcept {
    const bool broken = events & (EPOLLERR | EPOLLHUP);
    watch.report(broken || (events & (EPOLLIN | EPOLLRDHUP | EPOLLPRI)), broken || (events & EPOLLOUT),
                 broken || (events & (EPOLLRDHUP | EPOLLPRI)));
  }

  static void report(Watch& watch, std::size_t at, std::uint32_t events) noexcept {
    const bool more_behind = at == 0 && (events & (POLLERR | POLLHUP | POLLRDHUP | POLLPRI));
    watch.report(at == 0, at == 1, more_behind);
  }

  static void end_of(Watch& watch, std::size_t at) noexcept {
    watch.requests[at].state = State::none;
    if (watch.waiters[at]) watch.waiters[at]->unpark();
  }

  UniqueFd bell_;
  bool bell_armed_ = false;
  std::atomic<int> reached_at_{-1};  // our ring's number, for the messages of others; -1 outside begin() and end()
  bool messages_work_ = true;
  UniqueFd bound_;          // an epoll instance
  bool any_bound_ = false;  // there has been one
  bool bound_armed_ = false;
  Watch::Request* unsent_ = nullptr;
  Watch::Request* last_unsent_ = nullptr;
  std::optional<UringRing> ring_;  // goes first: the kernel lets go of what it polls
};

}  // namespace

std::unique_ptr<Engine> make_uring_engine() { return std::make_unique<UringEngine>(); }

}  // namespace hawser::detail
