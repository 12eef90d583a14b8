// SelectorBackEnd: the system call under a Selector. Internal. All calls but wait() come under the Selector's lock.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include <hawser/base/clock.h>
#include <hawser/fiber/waiter.h>
#include <hawser/net/selector.h>

namespace hawser::detail {

// A registration as a back end knows it. A number may be registered again with another file; the generation tells late
// events of the former one.
struct Interest {
  int fd = -1;
  std::uint32_t generation = 0;
  Events events = Events::none;
  Trigger trigger = Trigger::level;
};

struct Fired {
  int fd;
  std::uint32_t generation;
  Events events;  // also ones that nobody asked for
};

class SelectorBackEnd {
 public:
  static constexpr std::size_t kEventsALook = 1024;
  virtual ~SelectorBackEnd() = default;

  // Throw SystemError, and have changed nothing then.
  virtual void add(const Interest& interest) = 0;
  virtual void modify(const Interest& interest) = 0;
  virtual void remove(int fd) noexcept = 0;
  // A one-shot has fired.
  virtual void disarm(int fd) noexcept = 0;
  // What is ready now, without waiting.
  virtual void look(std::vector<Fired>& fired) = 0;
  // An event came for what is not registered and can't be taken out: begins anew with these.
  virtual void renew(const std::vector<Interest>& interests) = 0;
  // Waits until look() may find something or the bell can be read. Without the lock; the one call at a time.
  virtual Wake wait(Expiry expiry) = 0;
  // A wait() that is under way does not see what is added now: the bell must be rung.
  [[nodiscard]] virtual bool waits_for_a_copy() const noexcept = 0;
};

// bell: an eventfd that outlives the back end.
std::unique_ptr<SelectorBackEnd> make_epoll_back_end(int bell);
// The lock of the Selector, which wait() takes to copy the set.
std::unique_ptr<SelectorBackEnd> make_poll_back_end(int bell, std::mutex& lock);
std::unique_ptr<SelectorBackEnd> make_select_back_end(int bell, std::mutex& lock);

}  // namespace hawser::detail
