// BufferedWriter: gathers many small writes to a Stream into few system calls.
//
// Bytes go out when the buffer is full, at flush(), and when a BufferedReader tied to it is about to wait. Waits and
// throws as the stream's write_all() does; after an error the stream is cut in the middle and the buffer is dropped.
// Destroying does not flush: an error could not be told. The stream is borrowed. One fiber or thread at a time.
#pragma once

#include <cstddef>
#include <string>

#include <hawser/base/bytes.h>
#include <hawser/net/stream.h>

namespace hawser {

class BufferedWriter {
 public:
  static constexpr std::size_t kCapacity = 16 * 1024;

  explicit BufferedWriter(Stream& stream, std::size_t capacity = kCapacity) : stream_(&stream), capacity_(capacity) {}

  void write(BytesView data);
  void flush();
  // Written and not yet sent.
  [[nodiscard]] std::size_t buffered() const noexcept { return buffer_.size(); }
  [[nodiscard]] Stream& stream() noexcept { return *stream_; }

 private:
  Stream* stream_;
  std::size_t capacity_;
  std::string buffer_;
};

}  // namespace hawser
