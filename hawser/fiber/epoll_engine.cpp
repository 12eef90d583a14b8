#include <sys/epoll.h>

#include <cerrno>
#include <cstddef>
#include <ctime>
#include <string>

#include <hawser/base/bell.h>
#include <hawser/base/errors.h>
#include <hawser/base/fd.h>
#include <hawser/base/system_calls.h>
#include <hawser/fiber/engine.h>
#include <hawser/fiber/loop.h>

namespace hawser::detail {
namespace {

constexpr std::uint64_t kWakeTag = ~std::uint64_t{0};

class EpollEngine final : public Engine {
 public:
  explicit EpollEngine(Loop& loop) : loop_(loop), epoll_(sys::epoll_create1(EPOLL_CLOEXEC)) {
    if (!epoll_) throw_errno("epoll_create1", "");
    bell_ = make_bell();
    // Edge mode: each ring is an event and the counter never has to be read.
    epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.u64 = kWakeTag}};
    if (sys::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, bell_.get(), &event) < 0) throw_errno("epoll_ctl", "eventfd");
  }

  [[nodiscard]] const char* name() const noexcept override { return "epoll"; }

  void prepare(bool) override {}
  void begin() override {}
  void end() noexcept override {}

  void add(Watch& watch) override {
    epoll_event event{.events = EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data = {.u64 = tag(watch)}};
    ++submits_;
    ++calls_;
    if (sys::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, watch.fd, &event) == 0) return;
    // The number may still be registered from a former life of the descriptor that somebody keeps open.
    if (errno == EEXIST && sys::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, watch.fd, &event) == 0) return;
    throw_errno("epoll_ctl", "descriptor " + std::to_string(watch.fd));
  }

  void forget(int fd) noexcept override {
    const int saved = errno;
    epoll_event unused{};
    sys::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, &unused);
    errno = saved;
  }

  // What it reports, it reports unasked.
  void expect(Watch&, Direction) noexcept override {}
  void settle(Watch&, Direction) noexcept override {}

  void poll() override { handle(sys::epoll_wait(epoll_.get(), events_, kEventsATurn, 0)); }

  void wait(Expiry expiry) override {
    const Timeout left = expiry.left();
    if (!left) return handle(sys::epoll_wait(epoll_.get(), events_, kEventsATurn, -1));
    if (precise_) {
      const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(*left);
      const timespec wait{.tv_sec = static_cast<time_t>(seconds.count()),
                          .tv_nsec = static_cast<long>((*left - seconds).count())};
      const int count = sys::epoll_pwait2(epoll_.get(), events_, kEventsATurn, &wait);
      if (count >= 0 || (errno != ENOSYS && errno != EPERM)) return handle(count);
      precise_ = false;  // an older kernel, or a container's filter
    }
    const auto ms = std::chrono::ceil<std::chrono::milliseconds>(*left).count();
    handle(sys::epoll_wait(epoll_.get(), events_, kEventsATurn, ms > 3'600'000 ? 3'600'000 : static_cast<int>(ms)));
  }

  void wake() noexcept override { ring_bell(bell_.get()); }

 private:
  void handle(int count) {
    ++calls_;
    if (count < 0 && errno != EINTR) throw_errno("epoll_wait", "");
    // Among many connections each one's has left the cache since its last turn.
    for (int i = 0; i < count; ++i) fetch(i);
    for (int i = 0; i < count; ++i) {
      if (i + 1 < count) fetch_subject(i + 1);
      const std::uint32_t what = events_[i].events;
      if (events_[i].data.u64 == kWakeTag) continue;
      Watch* watch = find(events_[i].data.u64);
      if (!watch) continue;
      const bool broken = what & (EPOLLERR | EPOLLHUP);
      watch->report(broken || (what & (EPOLLIN | EPOLLRDHUP | EPOLLPRI)), broken || (what & EPOLLOUT),
                    broken || (what & (EPOLLRDHUP | EPOLLPRI)));
    }
  }

  // What an event carries to tell which watch it belongs to.
  [[nodiscard]] static std::uint64_t tag(const Watch& watch) noexcept {
    return (std::uint64_t{watch.generation} << 32) | watch.slot;
  }
  // Null when it has been retired.
  [[nodiscard]] Watch* find(std::uint64_t tag) const noexcept {
    return loop_.find_watch(static_cast<std::uint32_t>(tag), static_cast<std::uint32_t>(tag >> 32));
  }
  [[nodiscard]] const Watch* watch_of(int event) const noexcept {
    const std::uint64_t tag = events_[event].data.u64;
    return tag == kWakeTag ? nullptr : find(tag);
  }
  void fetch(int event) const noexcept {
    const Watch* watch = watch_of(event);
    if (!watch || !watch->waiters[0]) return;
    constexpr std::size_t kCacheLine = 64;
    __builtin_prefetch(watch->eager);
    __builtin_prefetch(watch->waiters[0]);
    __builtin_prefetch(reinterpret_cast<const std::byte*>(watch->waiters[0]) + kCacheLine);
  }
  void fetch_subject(int event) const noexcept {
    const Watch* watch = watch_of(event);
    if (watch && watch->eager) __builtin_prefetch(watch->eager->subject);
  }

  Loop& loop_;
  UniqueFd epoll_;
  UniqueFd bell_;
  bool precise_ = true;
  epoll_event events_[kEventsATurn];
};

}  // namespace

std::unique_ptr<Engine> make_epoll_engine(Loop& loop) { return std::make_unique<EpollEngine>(loop); }

}  // namespace hawser::detail
