#include <hawser/process/pipe_stream.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>

#include <hawser/base/errors.h>
#include <hawser/base/sigpipe.h>
#include <hawser/base/system_calls.h>

namespace hawser {
std::pair<UniqueFd, UniqueFd> make_pipe() {
  detail::ignore_sigpipe_once();
  int ends[2];
  if (detail::sys::pipe2(ends, O_CLOEXEC) != 0) throw_errno("pipe", "");
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

PipeStream::PipeStream(UniqueFd fd, Direction direction, std::string name)
    : pipe_(std::move(fd)), direction_(direction), name_(std::move(name)) {}

void PipeStream::expect(Direction direction, const char* operation) const {
  if (direction_ == direction) return;
  throw std::logic_error(std::string(operation) + " " + name_ + ": the other end of the pipe does that");
}

std::ptrdiff_t PipeStream::try_read(std::span<std::byte> into) {
  expect(Direction::read, "read");
  Pollable::Use use(pipe_, Direction::read, "read", name_);
  return read_with(use, into);
}

std::ptrdiff_t PipeStream::try_write(BytesView data) {
  expect(Direction::write, "write");
  Pollable::Use use(pipe_, Direction::write, "write", name_);
  return write_with(use, data);
}

std::ptrdiff_t PipeStream::read_with(Pollable::Use& use, std::span<std::byte> into) {
  for (;;) {
    const ssize_t got = detail::sys::read(use.fd(), into.data(), into.size());
    if (got >= 0) return got;
    if (errno == EAGAIN) {
      use.drained();
      return -1;
    }
    if (errno != EINTR) throw_errno("read", name_);
  }
}

std::ptrdiff_t PipeStream::write_with(Pollable::Use& use, BytesView data) {
  for (;;) {
    const ssize_t put = detail::sys::write(use.fd(), data.data(), data.size());
    if (put >= 0) return put;
    if (errno == EAGAIN) {
      use.drained();
      return -1;
    }
    if (errno != EINTR) throw_errno("write", name_);
  }
}

std::size_t PipeStream::read_some(std::span<std::byte> into) {
  expect(Direction::read, "read");
  if (into.empty()) return 0;
  Pollable::Use use(pipe_, Direction::read, "read", name_);
  for (;;) {
    if (use.maybe_ready()) {
      if (const auto got = read_with(use, into); got >= 0) return static_cast<std::size_t>(got);
    }
    throw_unless_ready(use.wait(Expiry::never()), "read " + name_);
  }
}

std::size_t PipeStream::write_some(BytesView data) {
  expect(Direction::write, "write");
  if (data.empty()) return 0;
  Pollable::Use use(pipe_, Direction::write, "write", name_);
  for (;;) {
    if (use.maybe_ready()) {
      if (const auto put = write_with(use, data); put >= 0) return static_cast<std::size_t>(put);
    }
    throw_unless_ready(use.wait(Expiry::never()), "write " + name_);
  }
}

void PipeStream::shutdown_write() {
  expect(Direction::write, "shut down");
  close();
}

}  // namespace hawser
