#include <hawser/net/socket_core.h>

#include <poll.h>

#include <algorithm>
#include <stdexcept>

#include <hawser/base/errors.h>
#include <hawser/base/system_calls.h>
#include <hawser/fiber/cancellation.h>
#include <hawser/fiber/run.h>

namespace hawser {

namespace {

constexpr Duration kFirstPause = std::chrono::microseconds(100);
constexpr Duration kLongestPause = std::chrono::milliseconds(20);

}  // namespace

WouldBlock::WouldBlock(std::string_view operation, std::string_view object, std::uint64_t sent)
    : SystemError(EAGAIN, operation, object), sent_(sent) {
  note_transferred(sent);
}

SendError::SendError(int error_number, std::string_view operation, std::string_view object, std::uint64_t sent)
    : SystemError(error_number, operation, object), sent_(sent) {
  note_transferred(sent);
}

void Socket::Core::set(std::atomic<Duration::rep>& field, Timeout timeout) {
  if (timeout && *timeout < Duration::zero()) throw std::invalid_argument("a timeout must not be negative");
  field.store(timeout ? timeout->count() : kNone, std::memory_order_relaxed);
}

Expiry Socket::Operation::budget() {
  if (!budget_) budget_ = Expiry::of(Core::get(core_.timeout));
  return *budget_;
}

void Socket::Operation::throw_on(std::uint64_t transferred) {
  if (transferred == 0) throw;
  try {
    throw;
  } catch (const DeadlineExceeded& late) {
    throw DeadlineExceeded(late.what(), late.scope(), transferred);
  } catch (const Cancelled& cancelled) {
    throw Cancelled(cancelled.what(), transferred);
  } catch (const SocketClosed& closed) {
    throw SocketClosed(closed.operation(), closed.object(), transferred);
  } catch (const WouldBlock& now) {
    throw WouldBlock(now.operation(), now.object(), transferred);
  } catch (const SocketTimeout& late) {
    throw SocketTimeout(late.what(), static_cast<std::size_t>(transferred));
  }
}

void Socket::Operation::wait(std::uint64_t transferred, detail::EagerCall* eager) {
  counted(transferred, [&] { wait_for_peer(eager); });
}

void Socket::Operation::wait_for_peer(detail::EagerCall* eager) {
  if (never_waits()) throw WouldBlock(name_, core_.name);
  if (waits_for_ever()) [[likely]] {
    const Wake why = use_.wait(Expiry::never(), eager);
    if (why != Wake::ready) throw_unless_ready(why, words());
    return;
  }
  Expiry expiry = budget();
  bool stalled = false;
  if (const Timeout idle = Core::get(core_.idle_timeout)) {
    const Expiry silence = Expiry::in(*idle);
    stalled = silence < expiry;
    expiry = std::min(expiry, silence);
  }
  const Wake why = core_.pace ? wait_at_pace(expiry) : use_.wait(expiry, eager);
  if (why == Wake::ready) return;
  if (why == Wake::expired) {
    throw SocketTimeout(words() + (stalled ? ": timed out, the peer was idle" : ": timed out"));
  }
  throw_unless_ready(why, words());
}

Wake Socket::Operation::wait_at_pace(Expiry expiry) {
  detail::PaceMeter& pace = *core_.pace;
  for (;;) {
    Expiry until = expiry;
    Wake why = Wake::ready;
    {
      const detail::PaceMeter::Wait waiting(pace);
      until = std::min(until, waiting.look_at());
      why = use_.wait(until);
    }
    if (!pace.kept()) {
      throw SocketTimeout(words() + ": timed out, the peer was slower than " +
                          std::to_string(pace.least().bytes_per_second) + " bytes a second");
    }
    if (why != Wake::expired || until == expiry) return why;
  }
}

void Socket::Operation::let_others_run(std::uint64_t transferred) {
  counted(transferred, [this] {
    if (in_fiber()) yield();
    check_cancelled();
    if (budget_ && budget_->passed()) throw SocketTimeout(words() + ": timed out");
  });
}

void Socket::Operation::hold_back(std::uint64_t transferred) {
  pollfd still{
      .fd = fd(), .events = static_cast<short>(direction_ == Direction::read ? POLLIN : POLLOUT), .revents = 0};
  if (detail::sys::poll(&still, 1, 0) <= 0) return;
  counted(transferred, [this] { rest_longer("what the kernel reports is not there"); });
}

bool Socket::Operation::wait_at_most(Expiry expiry) {
  const Wake why = use_.wait(expiry);
  if (why == Wake::expired) return false;
  throw_unless_ready(why, words());
  return true;
}

void Socket::Operation::rest(Duration pause, const char* why) {
  if (never_waits()) throw WouldBlock(name_, core_.name);
  const Timeout left = budget().left();
  if (left == Duration::zero()) throw SocketTimeout(words() + ": timed out, " + why);
  sleep(std::min(pause, left.value_or(pause)));
  if (core_.pollable.closed()) throw SocketClosed(name_, core_.name);
}

void Socket::Operation::rest_longer(const char* why) {
  pause_ = std::clamp(2 * pause_, kFirstPause, kLongestPause);
  rest(pause_, why);
}

void Socket::Operation::fail(int error_number, std::uint64_t transferred) const {
  if (std::string_view(name_).starts_with("send")) throw SendError(error_number, name_, core_.name, transferred);
  throw SystemError(error_number, name_, core_.name);
}

}  // namespace hawser
