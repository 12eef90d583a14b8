// nanosleep(2), clock_nanosleep(2), usleep(3), sleep(3). A sleep that is ended early says what is left, as if by a
// signal, but with the errno of a wait that was refused, so that a loop around EINTR ends.
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include <patch/blocking.h>
#include <patch/libc.h>
#include <patch/waiting.h>

namespace hawser::patch {
namespace {

bool is_valid(const timespec& time) noexcept {
  return time.tv_sec >= 0 && time.tv_nsec >= 0 && time.tv_nsec < 1'000'000'000;
}

timespec left_until(Expiry expiry) noexcept {
  const Duration left = expiry.left().value_or(Duration::zero());
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
  return {.tv_sec = static_cast<time_t>(seconds.count()), .tv_nsec = static_cast<long>((left - seconds).count())};
}

// 0, or the errno of an early end.
int sleep_until(const char* call, Expiry expiry, timespec* left) noexcept {
  const KeepErrno kept;
  if (pause_until(call, expiry) == Outcome::expired) return kept.succeeded(0);
  const int error = errno;
  if (left) *left = left_until(expiry);
  return kept.succeeded(error);
}

// A clock that can be set is looked at every second.
int sleep_until_clock_says(clockid_t clock, const timespec& when) noexcept {
  for (;;) {
    timespec now{};
    if (::clock_gettime(clock, &now) < 0) return EINVAL;
    const auto left = std::chrono::seconds(when.tv_sec - now.tv_sec) + Duration(when.tv_nsec - now.tv_nsec);
    if (left <= Duration::zero()) return 0;
    const Duration piece = std::min<Duration>(left, std::chrono::seconds(1));
    if (const int error = sleep_until("clock_nanosleep", Expiry::in(piece), nullptr)) return error;
  }
}

}  // namespace
}  // namespace hawser::patch

using hawser::patch::caller;
using hawser::patch::from_now;
using hawser::patch::libc;

extern "C" {

int nanosleep(const timespec* time, timespec* left) {
  if (!caller() || !time || !hawser::patch::is_valid(*time)) return libc().nanosleep(time, left);
  const int error = hawser::patch::sleep_until("nanosleep", from_now(time->tv_sec, time->tv_nsec), left);
  if (error == 0) return 0;
  errno = error;
  return -1;
}

int clock_nanosleep(clockid_t clock, int flags, const timespec* time, timespec* left) {
  const bool of_the_wall = clock == CLOCK_REALTIME || clock == CLOCK_BOOTTIME || clock == CLOCK_TAI;
  if (!caller() || !time || !hawser::patch::is_valid(*time) || (clock != CLOCK_MONOTONIC && !of_the_wall)) {
    return libc().clock_nanosleep(clock, flags, time, left);
  }
  if ((flags & TIMER_ABSTIME) && clock != CLOCK_MONOTONIC) return hawser::patch::sleep_until_clock_says(clock, *time);
  if (!(flags & TIMER_ABSTIME)) {
    return hawser::patch::sleep_until("clock_nanosleep", from_now(time->tv_sec, time->tv_nsec), left);
  }
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return hawser::patch::sleep_until("clock_nanosleep", from_now(time->tv_sec - now.tv_sec, time->tv_nsec - now.tv_nsec),
                                    nullptr);
}

int usleep(useconds_t time) {
  if (!caller()) return libc().usleep(time);
  const int error =
      hawser::patch::sleep_until("usleep", from_now(time / 1'000'000, time % 1'000'000 * 1000LL), nullptr);
  if (error == 0) return 0;
  errno = error;
  return -1;
}

unsigned sleep(unsigned seconds) {
  if (!caller()) return libc().sleep(seconds);
  timespec left{};
  const int error = hawser::patch::sleep_until("sleep", from_now(seconds, 0), &left);
  if (error == 0) return 0;
  errno = error;
  return static_cast<unsigned>(left.tv_sec) + (left.tv_nsec > 0);
}
}
