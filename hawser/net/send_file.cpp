// Files onto sockets by sendfile(2). The disk must not hold up the loop: what the page cache lacks is sent by the same
// call from an offload thread.
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include <hawser/base/system_calls.h>
#include <hawser/fiber/offload.h>
#include <hawser/fiber/run.h>
#include <hawser/net/file_pieces.h>
#include <hawser/net/socket.h>
#include <hawser/net/socket_core.h>

namespace hawser {
namespace {

constexpr std::uint64_t kChunk = 1024 * 1024;

bool lives_in_memory(int file) {
  struct statfs about {};
  if (::fstatfs(file, &about) < 0) return false;
  return about.f_type == TMPFS_MAGIC || about.f_type == RAMFS_MAGIC;
}

// Whether a read there is answered by the page cache. What the kernel can't tell counts as no.
bool in_page_cache(int file, std::uint64_t offset) {
  char byte;
  const iovec one{.iov_base = &byte, .iov_len = 1};
  return detail::sys::preadv2(file, &one, 1, static_cast<off_t>(offset), RWF_NOWAIT) >= 0;
}

bool writable_now(int socket) {
  pollfd one{.fd = socket, .events = POLLOUT, .revents = 0};
  return detail::sys::poll(&one, 1, 0) > 0;
}

bool kernel_cannot(int error_number) {
  return error_number == EINVAL || error_number == ENOSYS || error_number == EOPNOTSUPP;
}

}  // namespace

std::uint64_t Socket::send_file(int file, std::uint64_t offset, std::uint64_t count) {
  Operation operation(core("send_file"), Direction::write, "send_file");
  if (offset > static_cast<std::uint64_t>(std::numeric_limits<off_t>::max())) {
    throw std::invalid_argument("send_file: the offset is too large");
  }
  const bool never_waits = !in_fiber() || lives_in_memory(file);
  std::uint64_t sent = 0;
  while (sent < count) {
    const auto chunk = static_cast<std::size_t>(std::min(kChunk, count - sent));
    const std::uint64_t from = offset + sent;
    int error_number = 0;
    auto attempt = [&] {
      auto at = static_cast<off_t>(from);
      const ssize_t moved = detail::sys::sendfile(operation.fd(), file, &at, chunk);
      error_number = moved < 0 ? errno : 0;
      return moved;
    };
    // sendfile() may stop short for other reasons than a full socket, so only EAGAIN counts as that: asked is 0.
    const std::size_t moved = operation.run(
        [&]() -> ssize_t {
          const bool cached = never_waits || (in_page_cache(file, from) && in_page_cache(file, from + chunk - 1));
          const ssize_t result = cached ? attempt() : Operation::counted(sent, [&] { return offload(attempt); });
          // Since the thread said so the socket may have become writable, and that will not be reported again.
          if (!cached && error_number == EAGAIN && writable_now(operation.fd())) error_number = EINTR;
          if (result < 0 && kernel_cannot(error_number)) return 0;
          errno = error_number;
          return result;
        },
        0, sent);
    if (error_number && kernel_cannot(error_number)) return send_by_copying(operation, file, offset, count, sent);
    if (moved == 0) break;  // the file has ended
    sent += moved;
  }
  return sent;
}

std::uint64_t Socket::send_by_copying(Operation& operation, int file, std::uint64_t offset, std::uint64_t count,
                                      std::uint64_t sent) {
  detail::FilePieces pieces(file, offset + sent, count - sent);
  const auto next = [&] { return Operation::counted(sent, [&] { return pieces.next(); }); };
  for (BytesView rest = next(); !rest.empty(); rest = next()) {
    while (!rest.empty()) {
      const std::size_t moved = operation.run(
          [&] { return detail::sys::send(operation.fd(), rest.data(), rest.size(), MSG_NOSIGNAL); }, rest.size(), sent);
      sent += moved;
      rest = rest.from(moved);
    }
  }
  if (pieces.error() != 0) operation.fail(pieces.error(), sent);
  return sent;
}

}  // namespace hawser
