#include "cli/local_streams.h"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include <hawser/base/errors.h>
#include <hawser/fiber/offload.h>

namespace hawser::cli {
namespace {

enum class Kind : std::uint8_t { never_waits, can_be_opened_again, other };

Kind kind_of(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return Kind::never_waits;  // closed: the first use says so
  if (S_ISREG(status.st_mode)) return Kind::never_waits;
  if (S_ISFIFO(status.st_mode)) return Kind::can_be_opened_again;
  if (S_ISCHR(status.st_mode)) return ::isatty(fd) == 1 ? Kind::can_be_opened_again : Kind::never_waits;
  return Kind::other;
}

std::unique_ptr<PipeStream> open_again(int fd, Direction direction, const std::string& name) {
  const int mode = direction == Direction::read ? O_RDONLY : O_WRONLY;
  UniqueFd own(::open(fmt::format("/proc/self/fd/{}", fd).c_str(), mode | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!own) return nullptr;
  return std::make_unique<PipeStream>(std::move(own), direction, name);
}

// Waits a moment only, for an offloaded call cannot be taken back once it runs.
bool ready_soon(int fd, short events) {
  pollfd wanted{fd, events, 0};
  return ::poll(&wanted, 1, 100) > 0;
}

}  // namespace

LocalInput::LocalInput(int fd, std::string name) : fd_(fd), name_(std::move(name)) {
  const Kind kind = kind_of(fd);
  never_waits_ = kind == Kind::never_waits;
  if (kind == Kind::can_be_opened_again) own_ = open_again(fd, Direction::read, name_);
}

std::size_t LocalInput::read_some(std::span<std::byte> into) {
  if (own_) return own_->read_some(into);
  for (;;) {
    if (!never_waits_ && !offload([this] { return ready_soon(fd_, POLLIN); })) continue;
    const ssize_t got = ::read(fd_, into.data(), into.size());
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno == EAGAIN && !never_waits_) continue;
    if (errno != EINTR) throw_errno("read", name_);
  }
}

LocalOutput::LocalOutput(int fd, std::string name) : fd_(fd), name_(std::move(name)) {
  const Kind kind = kind_of(fd);
  never_waits_ = kind == Kind::never_waits;
  if (kind != Kind::can_be_opened_again) return;
  // Fewer and longer turns between us and who reads; where the system refuses, it works all the same.
  constexpr int kRoom = 1 << 20;
  static_cast<void>(::fcntl(fd, F_SETPIPE_SZ, kRoom));
  own_ = open_again(fd, Direction::write, name_);
}

void LocalOutput::write_all(BytesView data) {
  if (own_) return own_->write_all(data);
  while (!data.empty()) {
    const auto write = [&] { return std::pair{::write(fd_, data.data(), data.size()), errno}; };
    if (!never_waits_ && !offload([this] { return ready_soon(fd_, POLLOUT); })) continue;
    const auto [written, error] = never_waits_ ? write() : offload(write);
    if (written >= 0) {
      data = data.from(static_cast<std::size_t>(written));
    } else if (error != EINTR && error != EAGAIN) {
      throw SystemError(error, "write", name_);
    }
  }
}

}  // namespace hawser::cli
