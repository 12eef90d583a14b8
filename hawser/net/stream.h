// Stream: bytes in order, both ways. What Socket, TlsStream, pipes and terminals are; frames, buffered readers and TLS
// itself are written on it once.
//
// A Stream may be read by one fiber or thread and written by another at the same time; two readers, or two writers, are
// a programming error and say so (std::logic_error). Every waiting call throws DeadlineExceeded and Cancelled, and
// SocketClosed when the stream is closed under it. Errors of the kernel are SystemError.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include <hawser/base/bytes.h>

namespace hawser {

// Memory that a read takes only when there is something to put into it, so that who waits for a silent peer holds none.
// Both are called in the loop's flow or the reader's, on the thread that reads.
class LateBuffer {
 public:
  // How much room there will be: the same at every call, not 0.
  [[nodiscard]] virtual std::size_t size() const noexcept = 0;
  // The room, until the read has ended or give_back(). Null: there is no memory.
  [[nodiscard]] virtual std::byte* take() noexcept = 0;
  // Nothing came.
  virtual void give_back() noexcept = 0;

 protected:
  ~LateBuffer() = default;
};

class Stream {
 public:
  virtual ~Stream() = default;

  // Waits for at least one byte and reads at most into.size(). 0 is the end of the stream, again and again; an empty
  // `into` gives 0 at once.
  [[nodiscard]] virtual std::size_t read_some(std::span<std::byte> into) = 0;

  // The same into memory that is taken as late as the stream can: after the wait with a socket; the default takes it
  // before. At 0 it is given back. Throws std::bad_alloc when there is none.
  [[nodiscard]] virtual std::size_t read_late(LateBuffer& into);

  // Waits until some of data was taken; returns how much, at least 1 unless data is empty.
  virtual std::size_t write_some(BytesView data) = 0;

  // Writes all of data.
  virtual void write_all(BytesView data);

  // Writes all parts, one after another, in as few system calls as the stream can. The default joins small parts.
  virtual void write_all(std::span<const BytesView> parts);

  // Sends count bytes of the file from offset on (the file's own position is neither used nor moved). Returns what went
  // out: less than count only when the file ended first. The default reads and writes; a socket uses sendfile(2).
  virtual std::uint64_t send_file(int file, std::uint64_t offset, std::uint64_t count);

  // True when read_some() would give bytes that have arrived and are already decoded, without waiting. Says nothing
  // about the kernel's buffer.
  [[nodiscard]] virtual bool has_buffered() const noexcept { return false; }

  // Says to the peer that nothing more will come; reading goes on.
  virtual void shutdown_write() = 0;

  // Idempotent, and may be called while others wait on the stream: they are woken with SocketClosed.
  virtual void close() noexcept = 0;

  // The other end in words, for messages and logs: "127.0.0.1:5000".
  [[nodiscard]] virtual std::string peer() const = 0;
};

}  // namespace hawser
