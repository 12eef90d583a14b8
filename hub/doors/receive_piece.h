// Receiving a large body piece by piece, each of them to be written while the next one comes.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <span>

#include <hawser/base/errors.h>
#include <hawser/fiber/deadline.h>
#include <hawser/wire/frame_stream.h>

namespace hawser::hub {

// A piece that takes longer to arrive is to be written as far as it came, once it is worth a write: little is lost when
// a slow line breaks, or either end is killed.
inline constexpr std::chrono::seconds kPieceTime{1};
inline constexpr std::size_t kWorthWriting = 32 * 1024;

// Fills the piece with what comes of the body in that time, and returns before it is full only for that reason or at
// the body's end. `filled` counts it, also what came before an exception: those of FrameStream::read_body(). on_bytes
// is called with the size of each part that came.
template <class OnBytes>
void receive_piece(FrameStream& frames, std::span<std::byte> piece, std::size_t& filled, OnBytes&& on_bytes) {
  const Expiry enough = Expiry::in(kPieceTime);
  const auto receive = [&] {
    const std::size_t got = frames.read_body(piece.subspan(filled));
    filled += got;
    if (got > 0) on_bytes(got);
    return got > 0;
  };
  while (filled < std::min(kWorthWriting, piece.size())) {
    if (!receive()) return;
  }
  const Deadline rest(enough, "piece");
  try {
    while (filled < piece.size() && !enough.passed()) {
      if (!receive()) return;
    }
  } catch (const DeadlineExceeded& error) {
    if (!rest.caused(error)) throw;
  }
}

}  // namespace hawser::hub
