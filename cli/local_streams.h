// LocalInput and LocalOutput: our own standard streams, read and written by fibers without holding up the loop.
//
// A pipe or a terminal is opened a second time, so that it can be made non-blocking without doing so to the other
// processes that share it; files and devices like /dev/null are used as they are; what cannot be opened again (a
// socket, somebody else's terminal) is waited for on an offload thread. Throw SystemError, Cancelled, DeadlineExceeded.
// One fiber at a time each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include <hawser/base/bytes.h>
#include <hawser/process/pipe_stream.h>

namespace hawser::cli {

class LocalInput {
 public:
  // fd stays the caller's.
  LocalInput(int fd, std::string name);
  // Waits for bytes; 0 at the end.
  [[nodiscard]] std::size_t read_some(std::span<std::byte> into);

 private:
  int fd_;
  std::string name_;
  bool never_waits_ = false;
  std::unique_ptr<PipeStream> own_;
};

class LocalOutput {
 public:
  LocalOutput(int fd, std::string name);
  // EPIPE, as SystemError, when nobody reads any more.
  void write_all(BytesView data);

 private:
  int fd_;
  std::string name_;
  bool never_waits_ = false;
  std::unique_ptr<PipeStream> own_;
};

}  // namespace hawser::cli
