#include <hawser/tls/file_feed.h>

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/uio.h>
#include <sys/vfs.h>

#include <algorithm>
#include <cerrno>

#include <hawser/base/errors.h>
#include <hawser/base/system_calls.h>
#include <hawser/fiber/offload.h>

namespace hawser::detail {
namespace {

constexpr std::uint64_t kReadAhead = 4 * 1024 * 1024;

bool lives_in_memory(int file) {
  struct statfs where {};
  if (::fstatfs(file, &where) != 0) return false;
  return where.f_type == TMPFS_MAGIC || where.f_type == RAMFS_MAGIC || where.f_type == HUGETLBFS_MAGIC;
}

}  // namespace

FileFeed::FileFeed(int file, std::uint64_t offset, std::uint64_t count)
    : file_(file), offset_(offset), left_(count), how_(lives_in_memory(file) ? How::in_memory : How::cached) {}

std::size_t FileFeed::read(std::span<std::byte> into) {
  into = into.first(std::min<std::uint64_t>(into.size(), left_));
  std::size_t filled = 0;
  while (filled < into.size()) {
    const auto rest = into.subspan(filled);
    ssize_t got = -1;
    if (how_ != How::offloaded) {
      got = read_here(rest, how_ == How::cached ? RWF_NOWAIT : 0);
      if (got < 0 && errno == EOPNOTSUPP && how_ == How::cached)
        how_ = How::offloaded;
      else if (got < 0 && errno != EAGAIN)
        throw_errno("read", "file to send");
    }
    const std::size_t count = got >= 0 ? static_cast<std::size_t>(got) : read_elsewhere(rest);
    if (count == 0) {
      left_ = filled;
      break;
    }
    offset_ += count;
    filled += count;
  }
  left_ -= filled;
  return filled;
}

ssize_t FileFeed::read_here(std::span<std::byte> into, int flags) const {
  const iovec part{into.data(), into.size()};
  ssize_t got = -1;
  do {
    got = sys::preadv2(file_, &part, 1, static_cast<off_t>(offset_), flags);
  } while (got < 0 && errno == EINTR);
  return got;
}

std::size_t FileFeed::read_elsewhere(std::span<std::byte> into) const {
  return offload([&] {
    const ssize_t got = read_here(into, 0);
    if (got < 0) throw_errno("read", "file to send");
    if (left_ > into.size())
      ::posix_fadvise(file_, static_cast<off_t>(offset_ + into.size()),
                      static_cast<off_t>(std::min(kReadAhead, left_ - into.size())), POSIX_FADV_WILLNEED);
    return static_cast<std::size_t>(got);
  });
}

}  // namespace hawser::detail
