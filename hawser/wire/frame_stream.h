// FrameStream: messages with borders on any Stream.
//
//   FrameStream frames(sock);
//   frames.send({{"cmd", "put"}, {"path", "a.txt"}, {"size", n}}, body);
//   while (Frame frame = frames.receive()) serve(frame.header(), frames.read_body_all(1 << 20));
//
// Like a Stream, it may be read by one fiber or thread and written by another at the same time; two readers or two
// writers must take turns by themselves. Every waiting call throws what the Stream throws (SocketClosed, SystemError,
// DeadlineExceeded, Cancelled); what had come by then is there for the next call. Memory is bounded whatever a peer
// claims: a buffer of kBuffer bytes, grown up to max_header while a long header arrives, or to what an interrupted call
// had of a body, and none while it waits for a frame on a socket.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>

#include <hawser/base/bytes.h>
#include <hawser/net/stream.h>
#include <hawser/wire/frame.h>

namespace hawser {

// A part of an open file, to be sent as a body. Does not own the descriptor; its position is not used.
struct FileSlice {
  int fd = -1;
  std::uint64_t offset = 0;
  std::uint64_t count = 0;
};

class FrameStream {
 public:
  static constexpr std::size_t kBuffer = 16 * 1024;

  // The stream is borrowed and must outlive this.
  explicit FrameStream(Stream& stream, FrameLimits limits = {}) noexcept;
  // The stream is owned.
  explicit FrameStream(std::unique_ptr<Stream> stream, FrameLimits limits = {}) noexcept;
  FrameStream(FrameStream&&) noexcept = default;
  FrameStream& operator=(FrameStream&&) noexcept = default;

  // Sends one frame; header and a small body leave in one system call. "size" is added when the header lacks it and
  // there is a body. Throws std::invalid_argument, before anything is sent, when the header is not an object, is longer
  // than max_header, or claims another size than the body's.
  void send(const Json& header, BytesView body = {});
  void send(std::initializer_list<Json::Written> header, BytesView body = {});
  // The body comes out of a file. Throws FrameError (truncated) when the file turned out shorter: the stream is then
  // in the middle of a body, and all that is left is to close it.
  void send(const Json& header, const FileSlice& body);
  void send(std::initializer_list<Json::Written> header, const FileSlice& body);
  // Sends a header whose body of header["size"] bytes the caller sends by write_body().
  void send_header(const Json& header);
  void write_body(BytesView part) { stream_->write_all(part); }

  // Waits for the next frame and reads its header; what the caller left unread of the last body is skipped first.
  // An empty Frame is the end of the stream. Throws FrameError, from then on always; TimedOut when limits().idle ran
  // out.
  [[nodiscard]] Frame receive();

  // Reads at least one and at most into.size() bytes of the current body; 0 when all of it was read. Large reads go
  // straight into `into`. Throws FrameError (truncated).
  [[nodiscard]] std::size_t read_body(std::span<std::byte> into);
  // Fills `into`, or as much as is left of the body; returns how much. Whatever it throws, nothing has been taken: what
  // of `into` was written is read once more.
  std::size_t read_body_exactly(std::span<std::byte> into);
  // The rest of the body. Throws FrameError (body_limit) without reading when it is more than limit. Here, too, nothing
  // has been taken when it throws.
  [[nodiscard]] Bytes read_body_all(std::size_t limit);
  // Reads and drops the rest of the body.
  void skip_body();
  // What is left of the current body.
  [[nodiscard]] std::uint64_t body_left() const noexcept { return body_left_; }
  // True when bytes of a body or of a next frame are here already.
  [[nodiscard]] bool has_buffered() const noexcept { return filled_ > begin_ || stream_->has_buffered(); }

  [[nodiscard]] Stream& stream() noexcept { return *stream_; }
  [[nodiscard]] const FrameLimits& limits() const noexcept { return limits_; }
  void set_limits(const FrameLimits& limits) noexcept { limits_ = limits; }

 private:
  struct Free {
    void operator()(std::byte* p) const noexcept;
  };
  class Refill;
  [[nodiscard]] std::size_t buffered() const noexcept { return filled_ - begin_; }
  void reserve(std::size_t capacity);
  std::size_t fill();
  std::size_t refill();
  void give_buffer_back() noexcept;
  Bytes wait_for_body();
  void put_back(std::span<const std::byte> taken);
  bool await_first_byte();
  void await_header(std::size_t wanted);
  Frame parse_header(std::size_t length);
  void encode(std::string& out, const Json& header, std::uint64_t body_size) const;
  void encode(std::string& out, std::initializer_list<Json::Written> header, std::uint64_t body_size) const;
  void finish_header(std::string& out, const Json* claimed, std::uint64_t body_size) const;
  template <class Header>
  void send_bytes(const Header& header, BytesView body);
  template <class Header>
  void send_slice(const Header& header, const FileSlice& body);
  [[noreturn]] void fail(FrameFault fault, const std::string& what);

  std::unique_ptr<Stream> owned_;
  Stream* stream_;
  FrameLimits limits_;

  // Received and not yet consumed: [begin_, filled_) of capacity_, with room for a parser's padding behind.
  std::unique_ptr<std::byte[], Free> buffer_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t filled_ = 0;
  std::uint64_t body_left_ = 0;

  std::unique_ptr<FrameError> broken_;  // what made the stream unusable
};

}  // namespace hawser
