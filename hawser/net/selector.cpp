#include <hawser/net/selector.h>

#include <sys/select.h>

#include <atomic>
#include <mutex>
#include <stdexcept>
#include <unordered_map>

#include <hawser/base/bell.h>
#include <hawser/base/errors.h>
#include <hawser/fiber/cancellation.h>
#include <hawser/fiber/pollable.h>
#include <hawser/net/selector_back_end.h>

namespace hawser {
namespace {

const std::string kName = "selector";

std::invalid_argument refusal(int fd, std::string_view fault) {
  return std::invalid_argument("selector: descriptor " + std::to_string(fd) + " " + std::string(fault));
}

void check(int fd, Events events, Trigger trigger, SelectorKind kind) {
  if (events == Events::none) throw refusal(fd, "is registered for no events");
  if (trigger == Trigger::edge && kind != SelectorKind::epoll) {
    throw refusal(fd, "can be watched in edge mode by epoll only");
  }
  if (kind == SelectorKind::select && fd >= FD_SETSIZE) {
    throw refusal(fd, "is beyond select(2), which ends at " + std::to_string(FD_SETSIZE - 1));
  }
}

}  // namespace

struct Selector::State {
  struct Entry {
    std::shared_ptr<const SelectorKey> key;
    const void* object;
    std::uint32_t generation;
    bool armed;
  };

  explicit State(SelectorKind kind) : bell(detail::make_bell()) {
    switch (kind) {
      case SelectorKind::select:
        back_end = detail::make_select_back_end(bell.fd(), lock);
        break;
      case SelectorKind::poll:
        back_end = detail::make_poll_back_end(bell.fd(), lock);
        break;
      default:
        back_end = detail::make_epoll_back_end(bell.fd());
    }
  }

  void ring() noexcept { detail::ring_bell(bell.fd()); }
  void silence() noexcept { detail::silence_bell(bell.fd()); }
  void tell_waiter() noexcept {
    if (waiting && back_end->waits_for_a_copy()) ring();
  }

  // Under the lock, as all that follow.
  void check_open(const char* operation) const {
    if (closed) throw SocketClosed(operation, kName);
  }
  [[nodiscard]] std::unordered_map<int, Entry>::iterator find(Selectable what) {
    auto found = entries.find(what.fd);
    if (found == entries.end() && what.fd < 0 && what.object) {  // closed by its owner: known by itself alone
      for (found = entries.begin(); found != entries.end() && found->second.object != what.object;) ++found;
    }
    if (found == entries.end()) throw refusal(what.fd, "is not registered");
    return found;
  }
  [[nodiscard]] detail::Interest interest(const Entry& entry) const {
    return {.fd = entry.key->fd,
            .generation = entry.generation,
            .events = entry.armed ? entry.key->events : Events::none,
            .trigger = entry.key->trigger};
  }
  std::vector<Ready> look();

  std::mutex lock;
  Pollable bell;  // whoever is in select() uses it, so that close() waits for them
  std::unique_ptr<detail::SelectorBackEnd> back_end;
  std::unordered_map<int, Entry> entries;
  std::vector<detail::Fired> fired;
  std::uint32_t generations = 0;
  bool closed = false;
  bool waiting = false;
  std::atomic<bool> woken{false};
};

std::vector<Ready> Selector::State::look() {
  std::vector<Ready> ready;
  fired.clear();
  back_end->look(fired);
  bool stale = false;
  for (const detail::Fired& event : fired) {
    const auto found = entries.find(event.fd);
    if (found == entries.end() || found->second.generation != event.generation) {
      stale = true;
      continue;
    }
    Entry& entry = found->second;
    const Events events = event.events & entry.key->events;
    if (events == Events::none || !entry.armed) continue;
    if (entry.key->trigger == Trigger::one_shot) {
      entry.armed = false;
      back_end->disarm(event.fd);
    }
    ready.push_back({.key = entry.key, .events = events});
  }
  if (stale) {  // a file closed here lives on in a copy of its descriptor, and epoll with it
    std::vector<detail::Interest> interests;
    for (const auto& [fd, entry] : entries) interests.push_back(interest(entry));
    back_end->renew(interests);
  }
  return ready;
}

Selector::Selector(SelectorKind kind)
    : kind_(kind == SelectorKind::best ? SelectorKind::epoll : kind), state_(std::make_unique<State>(kind_)) {}

Selector::~Selector() { close(); }

void Selector::register_fd(Selectable what, Events events, std::any data, Trigger trigger) {
  if (what.fd < 0) throw refusal(what.fd, "is not open");
  check(what.fd, events, trigger, kind_);
  const std::lock_guard hold(state_->lock);
  state_->check_open("register_fd");
  if (state_->entries.contains(what.fd)) throw refusal(what.fd, "is registered already");
  State::Entry entry{.key = std::make_shared<const SelectorKey>(
                         SelectorKey{.fd = what.fd, .events = events, .trigger = trigger, .data = std::move(data)}),
                     .object = what.object,
                     .generation = ++state_->generations,
                     .armed = true};
  state_->back_end->add(state_->interest(entry));
  state_->entries.emplace(what.fd, std::move(entry));
  state_->tell_waiter();
}

void Selector::modify(Selectable what, Events events) {
  std::shared_ptr<const SelectorKey> key = get_key(what);
  modify(what, events, key->data, key->trigger);
}

void Selector::modify(Selectable what, Events events, std::any data, Trigger trigger) {
  check(what.fd, events, trigger, kind_);
  const std::lock_guard hold(state_->lock);
  state_->check_open("modify");
  State::Entry& entry = state_->find(what)->second;
  State::Entry changed{.key = std::make_shared<const SelectorKey>(SelectorKey{
                           .fd = entry.key->fd, .events = events, .trigger = trigger, .data = std::move(data)}),
                       .object = entry.object,
                       .generation = entry.generation,
                       .armed = true};
  state_->back_end->modify(state_->interest(changed));
  entry = std::move(changed);
  state_->tell_waiter();
}

std::shared_ptr<const SelectorKey> Selector::unregister(Selectable what) {
  const std::lock_guard hold(state_->lock);
  state_->check_open("unregister");
  const auto found = state_->find(what);
  std::shared_ptr<const SelectorKey> key = std::move(found->second.key);
  state_->back_end->remove(key->fd);
  state_->entries.erase(found);
  state_->tell_waiter();
  return key;
}

std::vector<Ready> Selector::select(Timeout timeout) {
  const Expiry expiry = Expiry::of(timeout);
  State& it = *state_;
  const Pollable::Use use(it.bell, Direction::read, "select", kName);
  check_cancelled();
  for (;;) {
    it.silence();
    {
      const std::lock_guard hold(it.lock);
      it.waiting = false;
      it.check_open("select");
      if (it.woken.exchange(false)) return {};
      std::vector<Ready> ready = it.look();
      if (!ready.empty() || expiry.passed()) return ready;
      it.waiting = true;
    }
    const Wake why = it.back_end->wait(expiry);
    if (why == Wake::deadline || why == Wake::cancelled) throw_unless_ready(why, "select");
  }
}

void Selector::wake() noexcept {
  state_->woken.store(true);
  try {
    detail::ring_bell(state_->bell.pin("wake", kName));
    state_->bell.unpin();
  } catch (const SocketClosed&) {  // there is nobody to wake
  }
}

std::shared_ptr<const SelectorKey> Selector::get_key(Selectable what) const {
  const std::lock_guard hold(state_->lock);
  state_->check_open("get_key");
  return state_->find(what)->second.key;
}

std::map<int, std::shared_ptr<const SelectorKey>> Selector::get_map() const {
  const std::lock_guard hold(state_->lock);
  std::map<int, std::shared_ptr<const SelectorKey>> map;
  for (const auto& [fd, entry] : state_->entries) map.emplace(fd, entry.key);
  return map;
}

void Selector::close() noexcept {
  {
    const std::lock_guard hold(state_->lock);
    if (std::exchange(state_->closed, true)) return;
    state_->entries.clear();
    state_->ring();
  }
  state_->bell.close();  // once whoever was in select() has left
  const std::lock_guard hold(state_->lock);
  state_->back_end.reset();
}

}  // namespace hawser
