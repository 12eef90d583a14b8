#include <poll.h>
#include <sys/epoll.h>

#include <cerrno>
#include <mutex>
#include <string>

#include <hawser/base/errors.h>
#include <hawser/base/fd.h>
#include <hawser/base/system_calls.h>
#include <hawser/fiber/pollable.h>
#include <hawser/net/selector_back_end.h>

namespace hawser::detail {
namespace {

constexpr std::uint64_t kBellTag = ~std::uint64_t{0};
const std::string kName = "selector";

std::uint32_t bits(const Interest& interest) {
  std::uint32_t bits = 0;
  if (has(interest.events, Events::read)) bits |= EPOLLIN | EPOLLRDHUP;
  if (has(interest.events, Events::write)) bits |= EPOLLOUT;
  if (has(interest.events, Events::urgent)) bits |= EPOLLPRI;
  if (interest.trigger == Trigger::edge) bits |= EPOLLET;
  if (interest.trigger == Trigger::one_shot) bits |= EPOLLONESHOT;
  return bits;
}

Events events(std::uint32_t bits) {
  if (bits & (EPOLLERR | EPOLLHUP)) return Events::read | Events::write | Events::urgent;
  Events set = Events::none;
  if (bits & (EPOLLIN | EPOLLRDHUP)) set = set | Events::read;
  if (bits & EPOLLOUT) set = set | Events::write;
  if (bits & EPOLLPRI) set = set | Events::urgent;
  return set;
}

class EpollBackEnd final : public SelectorBackEnd {
 public:
  explicit EpollBackEnd(int bell) : bell_(bell) { open(); }

  void add(const Interest& interest) override {
    if (control(EPOLL_CTL_ADD, interest) == 0) return;
    // The number may still stand for an earlier file that was closed here and lives on in a copy of the descriptor.
    if (errno == EEXIST && control(EPOLL_CTL_MOD, interest) == 0) return;
    throw_errno("register_fd", "descriptor " + std::to_string(interest.fd));
  }
  void modify(const Interest& interest) override {
    if (control(EPOLL_CTL_MOD, interest) < 0) throw_errno("modify", "descriptor " + std::to_string(interest.fd));
  }
  void remove(int fd) noexcept override {
    // Fails for one that was closed, and closing it did the same.
    control(EPOLL_CTL_DEL, {.fd = fd, .generation = 0, .events = Events::none, .trigger = Trigger::level});
  }
  void disarm(int) noexcept override {}  // EPOLLONESHOT did

  void look(std::vector<Fired>& fired) override {
    buffer_.resize(kEventsALook);
    int count;
    do {
      count = sys::epoll_wait(epoll_->fd(), buffer_.data(), static_cast<int>(buffer_.size()), 0);
    } while (count < 0 && errno == EINTR);
    if (count < 0) throw_errno("epoll_wait", kName);
    for (int i = 0; i < count; ++i) {
      const std::uint64_t tag = buffer_[static_cast<std::size_t>(i)].data.u64;
      if (tag == kBellTag) continue;
      fired.push_back({.fd = static_cast<int>(tag & 0xFFFFFFFF),
                       .generation = static_cast<std::uint32_t>(tag >> 32),
                       .events = events(buffer_[static_cast<std::size_t>(i)].events)});
    }
  }

  void renew(const std::vector<Interest>& interests) override {
    open();
    for (const Interest& interest : interests) control(EPOLL_CTL_ADD, interest);
  }

  Wake wait(Expiry expiry) override {
    Pollable::Use use(*epoll_, Direction::read, "select", kName);
    // The loop tells of edges. From here on none is missed; what came before is asked for.
    use.drained();
    pollfd now{.fd = epoll_->fd(), .events = POLLIN, .revents = 0};
    return sys::poll(&now, 1, 0) != 0 ? Wake::ready : use.wait(expiry);
  }
  [[nodiscard]] bool waits_for_a_copy() const noexcept override { return false; }

 private:
  void open() {
    UniqueFd fd(sys::epoll_create1(EPOLL_CLOEXEC));
    if (!fd) throw_errno("epoll_create1", kName);
    auto fresh = std::make_unique<Pollable>(std::move(fd));
    epoll_event event{.events = EPOLLIN, .data = {.u64 = kBellTag}};
    if (sys::epoll_ctl(fresh->fd(), EPOLL_CTL_ADD, bell_, &event) < 0) throw_errno("epoll_ctl", kName);
    epoll_ = std::move(fresh);
  }

  int control(int operation, const Interest& interest) noexcept {
    epoll_event event{
        .events = bits(interest),
        .data = {.u64 = (std::uint64_t{interest.generation} << 32) | static_cast<std::uint32_t>(interest.fd)}};
    return sys::epoll_ctl(epoll_->fd(), operation, interest.fd, &event);
  }

  const int bell_;
  std::unique_ptr<Pollable> epoll_;
  std::vector<epoll_event> buffer_;
};

}  // namespace

std::unique_ptr<SelectorBackEnd> make_epoll_back_end(int bell) { return std::make_unique<EpollBackEnd>(bell); }

}  // namespace hawser::detail
