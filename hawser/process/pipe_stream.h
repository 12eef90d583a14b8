// PipeStream: one end of a pipe as a Stream, on fibers and on plain threads.
//
// The read end is read, the write end is written; the other way round is std::logic_error. When nobody reads any more,
// writing throws SystemError with EPIPE: making the first pipe sets SIGPIPE to "ignore" for the process unless the
// program has a handler of its own (children get the default back). close() from elsewhere wakes who waits, with
// SocketClosed. See pipe(7).
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>

#include <hawser/base/fd.h>
#include <hawser/fiber/pollable.h>
#include <hawser/net/stream.h>

namespace hawser {

class PipeStream : public Stream {
 public:
  // Takes the descriptor and makes it non-blocking. `name` stands in messages.
  PipeStream(UniqueFd fd, Direction direction, std::string name);

  [[nodiscard]] std::size_t read_some(std::span<std::byte> into) override;
  std::size_t write_some(BytesView data) override;
  using Stream::write_all;
  // On the write end the same as close(): the reader finds the end of the stream.
  void shutdown_write() override;
  void close() noexcept override { pipe_.close(); }
  // Gives the descriptor up without closing it, non-blocking as it is; the stream is closed then.
  [[nodiscard]] UniqueFd detach() noexcept { return pipe_.detach(); }
  [[nodiscard]] std::string peer() const override { return name_; }

  // Moves what is there without waiting: how much, 0 at the end, -1 when there is nothing (or no room) now. A write to
  // a pipe that nobody reads throws SystemError with EPIPE.
  [[nodiscard]] std::ptrdiff_t try_read(std::span<std::byte> into);
  [[nodiscard]] std::ptrdiff_t try_write(BytesView data);

  [[nodiscard]] int fd() const noexcept { return pipe_.fd(); }
  [[nodiscard]] bool closed() const noexcept { return pipe_.closed(); }
  [[nodiscard]] Direction direction() const noexcept { return direction_; }

 private:
  void expect(Direction direction, const char* operation) const;
  std::ptrdiff_t read_with(Pollable::Use& use, std::span<std::byte> into);
  std::ptrdiff_t write_with(Pollable::Use& use, BytesView data);

  Pollable pipe_;
  Direction direction_;
  std::string name_;
};

// A new pipe, close-on-exec: what is written to the second comes out of the first. Throws SystemError.
std::pair<UniqueFd, UniqueFd> make_pipe();

}  // namespace hawser
