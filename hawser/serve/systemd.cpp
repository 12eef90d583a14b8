#include <hawser/serve/systemd.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <optional>
#include <stdexcept>

#include <hawser/base/errors.h>
#include <hawser/base/fd.h>
#include <hawser/base/system_calls.h>
#include <hawser/fiber/run.h>
#include <hawser/fiber/task_group.h>
#include <hawser/net/address.h>

namespace hawser {
namespace {

constexpr int kFirstFd = 3;  // SD_LISTEN_FDS_START
constexpr int kMostFds = 4096;

std::optional<std::uint64_t> number(const char* text) {
  if (!text) return std::nullopt;
  const std::string_view digits(text);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

// Up to the next colon.
std::string take_name(std::string_view& rest) {
  const auto colon = rest.find(':');
  std::string name(rest.substr(0, colon));
  rest = colon == std::string_view::npos ? std::string_view() : rest.substr(colon + 1);
  return name;
}

}  // namespace

std::vector<InheritedSocket> inherited_sockets() {
  const auto pid = number(std::getenv("LISTEN_PID"));
  const char* const count_text = std::getenv("LISTEN_FDS");
  if (!pid || !count_text || *pid != static_cast<std::uint64_t>(::getpid())) return {};
  const auto count = number(count_text);
  if (!count || *count > kMostFds) throw std::invalid_argument(std::string("LISTEN_FDS is not a count: ") + count_text);
  const char* const names_text = std::getenv("LISTEN_FDNAMES");
  const std::string names = names_text ? names_text : "";
  for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) ::unsetenv(name);

  std::vector<InheritedSocket> sockets;
  std::string_view rest = names;
  for (int fd = kFirstFd; fd < kFirstFd + static_cast<int>(*count); ++fd) {
    if (::fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) throw_errno("inherit", "descriptor " + std::to_string(fd));
    std::string name = take_name(rest);
    sockets.push_back({.socket = Socket(UniqueFd(fd)), .name = name.empty() ? "unknown" : std::move(name)});
  }
  return sockets;
}

bool notify_service_manager(std::string_view state) noexcept {
  const char* const path = std::getenv("NOTIFY_SOCKET");
  if (!path || (path[0] != '/' && path[0] != '@')) return false;
  try {
    const Address address = Address::unix_path(path);
    const UniqueFd fd(detail::sys::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    return fd && detail::sys::sendto(fd.get(), state.data(), state.size(), MSG_NOSIGNAL | MSG_DONTWAIT, address.data(),
                                     address.size()) >= 0;
  } catch (const std::exception&) {  // a path that is none
    return false;
  }
}

Timeout watchdog_interval() noexcept {
  const auto pid = number(std::getenv("WATCHDOG_PID"));
  if (pid && *pid != static_cast<std::uint64_t>(::getpid())) return std::nullopt;
  const auto microseconds = number(std::getenv("WATCHDOG_USEC"));
  constexpr std::uint64_t kLongest = std::uint64_t{366} * 24 * 3600 * 1'000'000;
  if (!microseconds || *microseconds == 0 || *microseconds > kLongest) return std::nullopt;
  return std::chrono::microseconds(*microseconds);
}

struct ServiceWatchdog::Beat {
  TaskGroup group;
};

ServiceWatchdog::ServiceWatchdog() {
  if (!in_fiber()) throw std::logic_error("ServiceWatchdog: outside run()");
  const Timeout interval = watchdog_interval();
  if (!interval) return;
  beat_ = std::make_unique<Beat>();
  beat_->group.spawn([pause = *interval / 2] {
    set_fiber_name("service watchdog");
    for (;;) {
      notify_service_manager("WATCHDOG=1");
      sleep(pause);
    }
  });
}

ServiceWatchdog::~ServiceWatchdog() {
  if (beat_) beat_->group.cancel();
}

}  // namespace hawser
