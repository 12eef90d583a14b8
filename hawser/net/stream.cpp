#include <hawser/net/stream.h>

#include <new>

#include <hawser/base/errors.h>
#include <hawser/net/file_pieces.h>

namespace hawser {
namespace {

// Parts up to this are worth a copy, to save a system call.
constexpr std::size_t kSmallPart = 16 * 1024;

}  // namespace

std::size_t Stream::read_late(LateBuffer& into) {
  std::byte* const room = into.take();
  if (!room) throw std::bad_alloc();
  const std::size_t got = read_some({room, into.size()});
  if (got == 0) into.give_back();
  return got;
}

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
  detail::FilePieces pieces(file, offset, count);
  std::uint64_t sent = 0;
  for (BytesView piece = pieces.next(); !piece.empty(); piece = pieces.next()) {
    write_all(piece);
    sent += piece.size();
  }
  if (pieces.error() != 0) throw SystemError(pieces.error(), "send_file", peer());
  return sent;
}

}  // namespace hawser
