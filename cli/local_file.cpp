#include "cli/local_file.h"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <hawser/base/errors.h>

#include "cli/failure.h"

namespace hawser::cli {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

FileState state_of(const struct stat& status) {
  return {static_cast<std::uint64_t>(status.st_size), status.st_mtim.tv_sec * kSecond + status.st_mtim.tv_nsec,
          status.st_ctim.tv_sec * kSecond + status.st_ctim.tv_nsec, status.st_mode & 0777U};
}

struct stat status_of(int fd, const std::string& path) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) throw_errno("stat", path);
  return status;
}

// Up to into.size() bytes; fewer only at the end of the file.
std::size_t read_at(int fd, std::span<std::byte> into, std::uint64_t offset, const std::string& path) {
  std::size_t filled = 0;
  while (filled < into.size()) {
    const ssize_t got = ::pread(fd, into.data() + filled, into.size() - filled, static_cast<off_t>(offset + filled));
    if (got == 0) break;
    if (got < 0 && errno != EINTR) throw_errno("read", path);
    if (got > 0) filled += static_cast<std::size_t>(got);
  }
  return filled;
}

}  // namespace

LocalFile::LocalFile(const std::string& path, bool follow) : path_(path) {
  fd_.reset(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY | (follow ? 0 : O_NOFOLLOW)));
  if (!fd_) {
    if (errno == ENXIO) throw local_failure("not a regular file");
    throw_errno("open", path);
  }
  const struct stat status = status_of(fd_.get(), path);
  if (S_ISDIR(status.st_mode)) throw local_failure("a folder (with all that is in it: -r)");
  if (!S_ISREG(status.st_mode)) throw local_failure("not a regular file");
  state_ = state_of(status);
}

Bytes LocalFile::read(std::size_t limit) const {
  if (state_.size > limit) throw local_failure("the file became larger while it was read");
  // One byte more than expected shows a file that has grown.
  Bytes content = Bytes::uninitialised(static_cast<std::size_t>(state_.size) + 1);
  if (read_at(fd_.get(), content.span(), 0, path_) != state_.size)
    throw local_failure("the file was changed while it was read");
  content.truncate(static_cast<std::size_t>(state_.size));
  return content;
}

void LocalFile::hash(hub::Hasher& hasher, std::uint64_t offset, std::uint64_t count) const {
  // Large enough to be few system calls, small enough to be still in the cache when it is hashed.
  constexpr std::size_t kPiece = 256 * 1024;
  Bytes piece = Bytes::uninitialised(kPiece);
  while (count > 0) {
    const auto wanted = piece.span().first(static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, count)));
    if (read_at(fd_.get(), wanted, offset, path_) != wanted.size())
      throw local_failure("the file became shorter while it was read");
    hasher.update(wanted);
    offset += wanted.size();
    count -= wanted.size();
  }
}

void LocalFile::check_unchanged() const {
  if (state_of(status_of(fd_.get(), path_)) != state_) throw local_failure("the file was changed while it was read");
}

}  // namespace hawser::cli
