#include "hub/service/home.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "hub/service/error.h"
#include "hub/service/file_errors.h"

namespace hawser::hub {
namespace {

// A rename somewhere on the way makes the kernel give up with EAGAIN rather than risk an escape (openat2(2)).
constexpr int kTries = 1000;

UniqueFd open_beneath(int root, const Path& path, int flags) {
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags) | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;
  for (int attempt = 0; attempt < kTries; ++attempt) {
    const long fd = ::syscall(SYS_openat2, root, path.shown().c_str(), &how, sizeof how);
    if (fd >= 0) return UniqueFd(static_cast<int>(fd));
    if (errno != EAGAIN && errno != EINTR) break;
  }
  if (errno == ENOSYS) {
    throw ServiceError(ErrorCode::internal, "this kernel has no openat2(2): homes cannot be kept apart safely");
  }
  throw_file_error(path.shown());
}

// Opens for reading what an O_PATH descriptor stands for, whatever has become of its name.
UniqueFd reopen(int fd, std::string_view shown) {
  UniqueFd opened(::open(fmt::format("/proc/self/fd/{}", fd).c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (opened) return opened;
  if (errno == ENOENT) throw ServiceError(ErrorCode::internal, "files cannot be opened without a /proc");
  throw_file_error(shown);
}

}  // namespace

Home Home::open(int homes, const std::string& user) {
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  UniqueFd root(::openat(homes, user.c_str(), kFlags));
  if (!root && errno == ENOENT) {
    if (::mkdirat(homes, user.c_str(), 0700) < 0 && errno != EEXIST) throw_file_error("your home");
    ::fsync(homes);
    root.reset(::openat(homes, user.c_str(), kFlags));
  }
  if (!root) throw_file_error("your home");
  return Home(std::move(root));
}

UniqueFd Home::resolve(const Path& path, int flags) const { return open_beneath(root_.get(), path, flags); }

UniqueFd Home::directory(const Path& path) const { return resolve(path, O_RDONLY | O_DIRECTORY | O_NONBLOCK); }

Place Home::place(const Path& path) const {
  if (path.is_home()) throw ServiceError(ErrorCode::forbidden, "not possible with the home itself");
  // Not O_PATH: the directory is synced through this descriptor.
  return {directory(path.parent()), std::string(path.name())};
}

UniqueFd Home::regular_file(const Path& path, struct stat& status) const {
  // To open a fifo lets go whoever waits at its other end, and to open a device may do anything: look first.
  const UniqueFd found = resolve(path, O_PATH);
  status = status_of(found.get(), path.shown());
  if (S_ISDIR(status.st_mode)) throw_file_error(EISDIR, path.shown());
  if (!S_ISREG(status.st_mode)) {
    throw ServiceError(ErrorCode::forbidden, fmt::format("not a regular file: {}", path.shown()));
  }
  return reopen(found.get(), path.shown());
}

struct stat Home::status(const Path& path) const {
  return status_of(resolve(path, O_PATH).get(), path.shown());
}

void Home::require_writable(int fd, const Path& shown) {
  if (::faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) < 0) throw_file_error(shown.shown());
}

struct stat status_of(int fd, std::string_view shown) {
  struct stat status {};
  if (::fstat(fd, &status) < 0) throw_file_error(shown);
  return status;
}

bool status_of(const Place& place, std::string_view shown, struct stat& status) {
  if (::fstatat(place.directory.get(), place.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) return true;
  if (errno != ENOENT) throw_file_error(shown);
  return false;
}

}  // namespace hawser::hub
