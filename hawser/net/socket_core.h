// What a Socket consists of, and Operation: one call on it, with its budget of time. Internal.
#pragma once

#include <atomic>
#include <cerrno>
#include <memory>
#include <string>
#include <type_traits>

#include <hawser/base/clock.h>
#include <hawser/fiber/engine.h>
#include <hawser/fiber/pollable.h>
#include <hawser/net/pace_meter.h>
#include <hawser/net/socket.h>

namespace hawser {

struct Socket::Core {
  // The descriptor is non-blocking.
  Core(UniqueFd fd, int its_family, int its_type, int its_protocol, std::string its_name)
      : family(its_family),
        type(its_type),
        protocol(its_protocol),
        short_is_drained(its_type == SOCK_STREAM && its_family != AF_UNIX),
        whole_messages(its_type == SOCK_DGRAM || its_type == SOCK_SEQPACKET || its_type == SOCK_RAW ||
                       its_type == SOCK_RDM),
        name(std::move(its_name)),
        pollable(std::move(fd), Pollable::Nonblocking()) {}

  static constexpr Duration::rep kNone = -1;
  static Timeout get(const std::atomic<Duration::rep>& field) noexcept {
    const Duration::rep value = field.load(std::memory_order_relaxed);
    return value == kNone ? Timeout() : Timeout(Duration(value));
  }
  static void set(std::atomic<Duration::rep>& field, Timeout timeout);

  const int family;
  const int type;
  const int protocol;
  // A short transfer on TCP tells that the kernel's queue is drained (epoll(7)). A UNIX stream also stops short at the
  // borders of messages that carry descriptors (unix(7)).
  const bool short_is_drained;
  // Each message is received and sent whole: of the types that are known for it, since asking a stream for the length
  // of a message (MSG_TRUNC, tcp(7)) throws its bytes away.
  const bool whole_messages;
  [[nodiscard]] bool keeps_boundaries() const noexcept { return whole_messages; }
  std::atomic<Duration::rep> timeout{kNone};
  std::atomic<Duration::rep> idle_timeout{kNone};
  // A socket of messages was shut down for reading: recv(2) says EAGAIN then, and without O_NONBLOCK it would say 0.
  std::atomic<bool> receives_no_more{false};
  std::atomic<bool> was_connected{false};
  bool bulky = false;                       // the last receipt was large; whoever receives, one at a time
  std::unique_ptr<detail::PaceMeter> pace;  // null: none is asked for
  std::string name;                         // where it leads, for messages
  Pollable pollable;                        // goes first: it sees out who still waits, whose error has the name
};

class Socket::Operation {
 public:
  // Throws as Pollable::Use does.
  Operation(Core& core, Direction direction, const char* name)
      : core_(core), use_(core.pollable, direction, name, core.name), direction_(direction), name_(name) {}

  [[nodiscard]] int fd() const noexcept { return use_.fd(); }
  [[nodiscard]] Core& core() noexcept { return core_; }

  // Calls attempt() until it does not say EAGAIN, waiting in between; its result. asked: with a stream a smaller result
  // means that the next attempt had better wait. transferred: what the call has moved before, for the error.
  template <class Attempt>
  std::size_t run(Attempt&& attempt, std::size_t asked, std::uint64_t transferred = 0) {
    return run(attempt, asked, transferred, nullptr);
  }
  // The same for a receiving attempt() that the loop may make for a fiber that waits (EagerCall): it does not throw,
  // and uses nothing that another attempt on this thread may change before the fiber runs. Only where the last receipt
  // was small: of large ones the first would have left the processor's caches before its turn comes.
  template <class Attempt>
  std::size_t receive(Attempt&& attempt, std::size_t asked) {
    static_assert(noexcept(attempt()));
    detail::EagerCall eager;
    eager.call = [](void* subject) noexcept { return (*static_cast<std::remove_reference_t<Attempt>*>(subject))(); };
    eager.subject = &attempt;
    if (core_.short_is_drained) eager.drained_below = asked;
    const std::size_t moved = run(attempt, asked, 0, core_.bulky || core_.pace ? nullptr : &eager);
    core_.bulky = moved > kBulky;
    return moved;
  }

  // Waits for readiness within the timeouts. Throws WouldBlock, SocketTimeout, and as Pollable::Use::wait().
  void wait(std::uint64_t transferred = 0, detail::EagerCall* eager = nullptr);
  // Waits no longer than that; false when nothing became ready.
  bool wait_at_most(Expiry expiry);
  // For what no event tells: lets that time pass, within the timeouts, before the next attempt. Throws as wait() does;
  // why is for the message of a timeout.
  void rest(Duration pause, const char* why);
  // The same, for twice as long each time of this call, from a tenth of a millisecond to 20 ms.
  void rest_longer(const char* why);
  void drained() noexcept { use_.drained(); }
  // part(), a piece of a call that has moved so many bytes before: what it throws tells of them.
  template <class Part>
  static decltype(auto) counted(std::uint64_t transferred, Part&& part) {
    try {
      return part();
    } catch (...) {
      throw_on(transferred);
    }
  }
  // SendError when bytes were moved by the call before or it is a sending one; SystemError otherwise.
  [[noreturn]] void fail(int error_number, std::uint64_t transferred) const;
  // When the call must be over; counted from the first time that is asked.
  [[nodiscard]] Expiry budget();
  // From now on that is when the call must be over, whatever the socket's timeout is.
  void set_budget(Expiry expiry) noexcept { budget_ = expiry; }

 private:
  // A transfer that never has to wait must not hold up the loop, nor outlive its deadlines.
  static constexpr unsigned kCallsInARow = 32;
  static constexpr std::size_t kBulky = 4 * 1024;

  template <class Attempt>
  std::size_t run(Attempt& attempt, std::size_t asked, std::uint64_t transferred, detail::EagerCall* eager) {
    if (++calls_ % kCallsInARow == 0) let_others_run(transferred);
    bool woken = false;
    for (;;) {
      if (use_.maybe_ready() || never_waits()) {
        const ssize_t count = attempt();
        if (count >= 0) {
          const auto moved = static_cast<std::size_t>(count);
          if (core_.pace) core_.pace->moved(moved);
          if (moved < asked && moved > 0 && core_.short_is_drained) use_.came_short();
          return moved;
        }
        if (errno == EINTR) continue;
        if (errno != EAGAIN) fail(errno, transferred);
        if (core_.receives_no_more.load(std::memory_order_relaxed) && direction_ == Direction::read) return 0;
        use_.drained();
        if (woken) hold_back(transferred);
      }
      wait(transferred, eager);
      woken = true;
      if (eager && eager->made) {
        if (eager->result < 0) fail(eager->error, transferred);
        return static_cast<std::size_t>(eager->result);
      }
    }
  }
  void let_others_run(std::uint64_t transferred);
  // After a wake-up for nothing. Somebody else may have taken what there was; but where the kernel goes on reporting
  // (an error in a queue that nobody fetches, say), the next wait would end at once, and so on: then it pauses first.
  void hold_back(std::uint64_t transferred);
  // A timeout of zero asks the kernel each time, whatever is known.
  [[nodiscard]] bool never_waits() const noexcept {
    return !budget_ && core_.timeout.load(std::memory_order_relaxed) == 0;
  }
  [[nodiscard]] bool waits_for_ever() const noexcept {
    return !budget_ && !core_.pace && core_.timeout.load(std::memory_order_relaxed) == Core::kNone &&
           core_.idle_timeout.load(std::memory_order_relaxed) == Core::kNone;
  }
  // In a handler.
  [[noreturn]] static void throw_on(std::uint64_t transferred);
  void wait_for_peer(detail::EagerCall* eager);
  Wake wait_at_pace(Expiry expiry);
  [[nodiscard]] std::string words() const { return std::string(name_) + " " + core_.name; }

  Core& core_;
  Pollable::Use use_;
  const Direction direction_;
  const char* name_;
  std::optional<Expiry> budget_;
  unsigned calls_ = 0;
  Duration pause_ = Duration::zero();  // the latest one of rest_longer()
};

}  // namespace hawser
