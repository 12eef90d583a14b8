#include <hawser/net/stream.h>

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include <hawser/base/errors.h>
#include <hawser/base/system_calls.h>
#include <hawser/fiber/offload.h>

namespace hawser {
namespace {

constexpr std::size_t kCopyBuffer = 256 * 1024;
// Parts up to this are worth a copy, to save a system call.
constexpr std::size_t kSmallPart = 16 * 1024;

}  // namespace

void Stream::write_all(BytesView data) {
  while (!data.empty()) data = data.from(write_some(data));
}

void Stream::write_all(std::span<const BytesView> parts) {
  Bytes joined;
  for (const BytesView part : parts) {
    if (part.size() <= kSmallPart) {
      joined.append(part.span());
      if (joined.size() < kSmallPart) continue;
    }
    if (!joined.empty()) write_all(BytesView(joined));
    joined.clear();
    if (part.size() > kSmallPart) write_all(part);
  }
  if (!joined.empty()) write_all(BytesView(joined));
}

std::uint64_t Stream::send_file(int file, std::uint64_t offset, std::uint64_t count) {
  Bytes buffer = Bytes::uninitialised(static_cast<std::size_t>(std::min<std::uint64_t>(kCopyBuffer, count)));
  std::uint64_t sent = 0;
  while (sent < count) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), count - sent));
    const ssize_t got = offload([&] {
      ssize_t result;
      do {
        result = detail::sys::pread(file, buffer.data(), wanted, static_cast<off_t>(offset + sent));
      } while (result < 0 && errno == EINTR);
      return result < 0 ? static_cast<ssize_t>(-errno) : result;
    });
    if (got < 0) throw SystemError(static_cast<int>(-got), "send_file", peer());
    if (got == 0) break;
    write_all(BytesView(buffer).first(static_cast<std::size_t>(got)));
    sent += static_cast<std::uint64_t>(got);
  }
  return sent;
}

}  // namespace hawser
