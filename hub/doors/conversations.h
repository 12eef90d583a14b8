// Conversations: who talks to a door just now, and which of them are between requests, so that a hub that drains can
// end those at once and let the others finish what they do.
//
// Conversations may run on several loops; drain() may be called from any fiber or thread, and waits while it closes.
#pragma once

#include <atomic>
#include <cstdint>
#include <list>

#include <hawser/net/stream.h>
#include <hawser/sync/lock.h>

namespace hawser::hub {

class Conversations {
 public:
  class Member;

  // From now on nobody begins a request; those who wait for one are closed. Idempotent.
  void drain();
  [[nodiscard]] bool draining() const noexcept { return draining_.load(std::memory_order_acquire); }

 private:
  Lock lock_;
  std::list<Member*> members_;
  std::atomic<bool> draining_{false};
};

// The place of one conversation, on its fiber's stack. The stream must outlive it.
class Conversations::Member {
 public:
  Member(Conversations& all, Stream& stream);
  Member(const Member&) = delete;
  Member& operator=(const Member&) = delete;
  ~Member();

  // The conversation waits for a request. False: it must end instead.
  [[nodiscard]] bool wait_for_request() noexcept;
  // A request has come. False: too late, it must not be begun.
  [[nodiscard]] bool begin_request() noexcept;

 private:
  friend class Conversations;
  enum class State : std::uint8_t { busy, idle, ended };
  Conversations& all_;
  Stream& stream_;
  std::atomic<State> state_{State::busy};
  std::list<Member*>::iterator place_;
};

}  // namespace hawser::hub
