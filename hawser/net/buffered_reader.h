// BufferedReader: lines, exact counts and delimited pieces from any Stream. BufferedWriter (buffered_writer.h): its
// counterpart for many small writes.
//
//   BufferedReader in(sock);
//   while (auto line = in.read_line()) use(*line);
//
// Every call waits as the stream's read_some() does and throws what that throws; what had arrived by then stays in the
// buffer for the next call. The stream is borrowed. One fiber or thread at a time. Memory is bounded by the limits: the
// buffer starts small, grows while a peer sends faster than it is read, and never beyond what a limit needs.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include <hawser/base/bytes.h>
#include <hawser/net/stream.h>

namespace hawser {

class BufferedWriter;

// A line or delimited piece is longer than its limit. What was read of it stays in the buffer.
class LimitExceeded : public std::runtime_error {
 public:
  LimitExceeded(const std::string& what, std::size_t limit) : std::runtime_error(what), limit_(limit) {}
  [[nodiscard]] std::size_t limit() const noexcept { return limit_; }

 private:
  std::size_t limit_;
};

// The stream ended in the middle of what was to be read. received() bytes of it had come, and stay in the buffer.
class EndOfStream : public std::runtime_error {
 public:
  EndOfStream(const std::string& what, std::size_t received) : std::runtime_error(what), received_(received) {}
  [[nodiscard]] std::size_t received() const noexcept { return received_; }

 private:
  std::size_t received_;
};

class BufferedReader {
 public:
  static constexpr std::size_t kLineLimit = 64 * 1024;

  explicit BufferedReader(Stream& stream, std::size_t line_limit = kLineLimit);
  BufferedReader(BufferedReader&&) noexcept = default;
  BufferedReader& operator=(BufferedReader&&) noexcept = default;

  // The next line with its '\n', or the rest of the stream when that has none; nothing at the end. Throws
  // LimitExceeded.
  [[nodiscard]] std::optional<std::string> read_line();
  // Up to and with the delimiter. Nothing at the end; EndOfStream when the stream ends without the delimiter;
  // LimitExceeded when it is not within limit bytes; std::invalid_argument for an empty delimiter.
  [[nodiscard]] std::optional<std::string> read_until(std::string_view delimiter, std::size_t limit);
  // Exactly into.size() bytes; many of them without a copy in between. Throws EndOfStream. Whatever it throws, nothing
  // has been taken: what of `into` was written is in the buffer as well.
  void read_exactly(std::span<std::byte> into);
  // Exactly count bytes; memory is taken as they come. Throws EndOfStream.
  [[nodiscard]] Bytes read_exactly(std::size_t count);
  // What is there, at least one byte and at most limit; waits when nothing is. Empty at the end.
  [[nodiscard]] Bytes read(std::size_t limit);
  // Waits until there is something to read, or nothing any more.
  [[nodiscard]] bool at_end();
  // Everything up to the end. Throws LimitExceeded when that is more than limit.
  [[nodiscard]] Bytes read_all(std::size_t limit);

  // What has arrived and is not read yet; good until the next call.
  [[nodiscard]] std::string_view buffered() const noexcept { return {data() + begin_, filled_ - begin_}; }
  [[nodiscard]] Stream& stream() noexcept { return *stream_; }
  // Before it waits, this reader flushes writer (as std::cin does std::cout). Null: none.
  void tie(BufferedWriter* writer) noexcept { tied_ = writer; }

 private:
  [[nodiscard]] const char* data() const noexcept { return reinterpret_cast<const char*>(buffer_.get()); }
  [[nodiscard]] std::string take(std::size_t count);
  // Waits for more, with room for up to `wanted` unread bytes in all; false at the end of the stream.
  bool fill(std::size_t wanted);
  // Waits until that many are buffered.
  void gather(std::size_t count);
  void read_past(std::span<std::byte> into);
  void put_back(std::span<const std::byte> bytes);
  [[noreturn]] void refuse_end(std::size_t received, std::size_t wanted) const;
  std::string name() const { return stream_->peer(); }

  Stream* stream_;
  BufferedWriter* tied_ = nullptr;
  std::size_t line_limit_;
  std::unique_ptr<std::byte[]> buffer_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t filled_ = 0;
};

// A line without its '\n' or "\r\n".
[[nodiscard]] std::string_view without_line_end(std::string_view line) noexcept;

}  // namespace hawser
