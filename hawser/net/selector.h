// Selector: watches many descriptors at once, by select(2), poll(2) or epoll(7).
//
//   Selector selector;
//   selector.register_fd(listener, Events::read);
//   for (;;) {
//     for (const auto& [key, events] : selector.select()) handle(key->fd, events);
//   }
//
// With fibers this is seldom needed: one fiber a socket reads easier. It is for programs that separate reading from
// writing themselves, for descriptors of other libraries, and for many that one loop serves.
//
// select() waits for the first event, its timeout, a Deadline scope, a cancellation, wake() or close(); on a fiber only
// that fiber waits. Throws DeadlineExceeded, Cancelled, SocketClosed once it is closed, SystemError, and
// std::logic_error when another context is in select() of the same Selector. Registering and wake() may come from any
// thread or fiber at any time, and what was registered meanwhile is seen by a select() that waits. The Selector owns no
// descriptor: who closes one should unregister it first. A descriptor that was closed is no longer reported and can
// still be unregistered, also after its number has gone to another file; modify() is ENOENT then. Two exceptions: epoll
// goes on reporting a file of which a copy of the descriptor is open (dup, fork), and poll and select know files by
// their inode, of which all of eventfd, timerfd and their like have but one. Sources: epoll(7), poll(2), select(2).
#pragma once

#include <any>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include <hawser/base/clock.h>
#include <hawser/net/listener.h>
#include <hawser/net/socket.h>

namespace hawser {

enum class SelectorKind : std::uint8_t { best, select, poll, epoll };

// A set. An error or a hang-up is reported as every event that was asked for: the next call on the descriptor tells.
enum class Events : std::uint8_t { none = 0, read = 1, write = 2, urgent = 4 };
constexpr Events operator|(Events a, Events b) noexcept {
  return static_cast<Events>(static_cast<std::uint8_t>(a) | static_cast<std::uint8_t>(b));
}
constexpr Events operator&(Events a, Events b) noexcept {
  return static_cast<Events>(static_cast<std::uint8_t>(a) & static_cast<std::uint8_t>(b));
}
constexpr bool has(Events set, Events any_of) noexcept { return (set & any_of) != Events::none; }

enum class Trigger : std::uint8_t {
  level,     // reported by every select() as long as it lasts
  edge,      // once for each arrival: take all there is before the next select(). Only epoll has it
  one_shot,  // once; modify() arms it again
};

struct SelectorKey {
  int fd = -1;
  Events events = Events::none;
  Trigger trigger = Trigger::level;
  std::any data;  // the caller's
};

struct Ready {
  std::shared_ptr<const SelectorKey> key;  // stays valid when it is unregistered meanwhile
  Events events = Events::none;
};

// What can be registered: a number, or something that has one. A Socket must outlive its registration only if it is to
// be unregistered by itself after it was closed.
struct Selectable {
  // Implicit: any of them is a thing to watch.
  // NOLINTBEGIN(google-explicit-constructor)
  Selectable(int number) : fd(number) {}
  Selectable(const Socket& socket) : fd(socket.fileno()), object(&socket) {}
  Selectable(const Listener& listener) : fd(listener.fileno()), object(&listener) {}
  // NOLINTEND(google-explicit-constructor)
  int fd;
  const void* object = nullptr;
};

class Selector {
 public:
  // Best is epoll. Throws SystemError.
  explicit Selector(SelectorKind kind = SelectorKind::best);
  Selector(const Selector&) = delete;
  Selector& operator=(const Selector&) = delete;
  // Closes. Nobody may be using it.
  ~Selector();

  // Throw std::invalid_argument when it is registered already, when no events are asked for, when the descriptor is
  // negative, beyond what select(2) can hold (FD_SETSIZE, 1024) or edge mode is not to be had; SystemError for one that
  // is not open (EBADF) or that epoll can't watch (EPERM: a regular file).
  void register_fd(Selectable what, Events events, std::any data = {}, Trigger trigger = Trigger::level);
  // Other events for a registered one, its data and trigger kept, or given anew. Arms a one-shot again. Throws as
  // register_fd() and when it is not registered; the registration is then as it was.
  void modify(Selectable what, Events events);
  void modify(Selectable what, Events events, std::any data, Trigger trigger = Trigger::level);
  // Its key. Throws std::invalid_argument when it is not registered.
  std::shared_ptr<const SelectorKey> unregister(Selectable what);

  // What is ready; empty when the time is over or wake() was called. No timeout waits for ever, zero polls. At most
  // 1024 a call, in turn.
  std::vector<Ready> select(Timeout timeout = std::nullopt);
  // The select() that waits, or the next one, returns. From any thread.
  void wake() noexcept;

  // Throws std::invalid_argument when it is not registered.
  [[nodiscard]] std::shared_ptr<const SelectorKey> get_key(Selectable what) const;
  // All registrations, by number.
  [[nodiscard]] std::map<int, std::shared_ptr<const SelectorKey>> get_map() const;
  [[nodiscard]] SelectorKind kind() const noexcept { return kind_; }

  // Idempotent; wakes select() with SocketClosed, and forgets all registrations.
  void close() noexcept;

 private:
  struct State;
  SelectorKind kind_;
  std::unique_ptr<State> state_;
};

}  // namespace hawser
