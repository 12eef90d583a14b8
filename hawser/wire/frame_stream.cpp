#include <hawser/wire/frame_stream.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <new>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>

#include <hawser/base/errors.h>
#include <hawser/fiber/deadline.h>

namespace hawser {

namespace {

constexpr std::size_t kLengthBytes = 4;
// What simdjson may read behind a text.
constexpr std::size_t kPadding = 64;
// A body up to this is copied behind its header: one buffer is cheaper for the kernel than two.
constexpr std::size_t kJoinBody = 4 * 1024;
// Reads of at least this much go past the buffer.
constexpr std::size_t kDirectRead = 4 * 1024;
// What a thread may keep for sending, between frames.
constexpr std::size_t kKeepOut = 16 * 1024;

FrameFault fault_of(JsonSyntaxError::Fault fault) {
  switch (fault) {
    case JsonSyntaxError::Fault::duplicate_key:
      return FrameFault::duplicate_key;
    case JsonSyntaxError::Fault::invalid_utf8:
      return FrameFault::invalid_utf8;
    case JsonSyntaxError::Fault::too_deep:
      return FrameFault::too_deep;
    case JsonSyntaxError::Fault::not_json:
      break;
  }
  return FrameFault::not_json;
}

// Where a frame is put together: the thread keeps one such buffer for whoever sends next, warm in the processor's
// caches, so that a stream that is silent holds none. Who sends takes it along, since others may send while this one
// waits.
class Outgoing {
 public:
  Outgoing() : text_(t_kept ? std::move(t_kept) : std::make_unique<std::string>()) {}
  Outgoing(const Outgoing&) = delete;
  Outgoing& operator=(const Outgoing&) = delete;
  ~Outgoing() {
    if (text_->capacity() <= kKeepOut) t_kept = std::move(text_);
  }

  // What the last one left is still in it.
  std::string& text() noexcept { return *text_; }

 private:
  static thread_local std::unique_ptr<std::string> t_kept;
  std::unique_ptr<std::string> text_;
};

thread_local std::unique_ptr<std::string> Outgoing::t_kept;

// A thread's buffers for receiving that nobody needs. The one that was used last is lent first.
class Spare {
 public:
  Spare() = default;
  Spare(const Spare&) = delete;
  Spare& operator=(const Spare&) = delete;
  ~Spare() {
    while (std::byte* const buffer = take()) ::operator delete(buffer);
  }

  // Null: there is none.
  std::byte* take() noexcept {
    std::byte* const buffer = first_;
    if (buffer) {
      std::memcpy(&first_, buffer, sizeof first_);
      --count_;
    }
    return buffer;
  }
  // False: there are enough.
  bool keep(std::byte* buffer) noexcept {
    // What many conversations that wake at once take; beyond that there is the heap.
    constexpr std::size_t kMost = 256;
    if (count_ == kMost) return false;
    std::memcpy(buffer, &first_, sizeof first_);
    first_ = buffer;
    ++count_;
    return true;
  }

 private:
  std::byte* first_ = nullptr;  // each begins with the address of the next
  std::size_t count_ = 0;
};

thread_local Spare t_spare;

// A length is little-endian on the wire.
std::uint32_t wire_order(std::uint32_t word) {
  if constexpr (std::endian::native == std::endian::big) return std::byteswap(word);
  return word;
}

void write_length(char* at, std::size_t length) {
  const std::uint32_t word = wire_order(static_cast<std::uint32_t>(length));
  std::memcpy(at, &word, kLengthBytes);
}

std::int32_t read_length(const std::byte* at) {
  std::uint32_t word = 0;
  std::memcpy(&word, at, kLengthBytes);
  return static_cast<std::int32_t>(wire_order(word));
}

}  // namespace

void FrameStream::Free::operator()(std::byte* p) const noexcept { ::operator delete(p); }

FrameStream::FrameStream(Stream& stream, FrameLimits limits) noexcept : stream_(&stream), limits_(limits) {}

FrameStream::FrameStream(std::unique_ptr<Stream> stream, FrameLimits limits) noexcept
    : owned_(std::move(stream)), stream_(owned_.get()), limits_(limits) {}

void FrameStream::fail(FrameFault fault, const std::string& what) {
  broken_ = std::make_unique<FrameError>(fault, what);
  throw FrameError(*broken_);
}

// ---- sending

void FrameStream::encode(std::string& out, const Json& header, std::uint64_t body_size) const {
  if (!header.is_object() && !header.is_null()) throw std::invalid_argument("a frame's header must be a JSON object");
  out.assign(kLengthBytes, '\0');
  if (header.is_null()) {
    out.append("{}");
  } else {
    header.append_to(out);
  }
  finish_header(out, header.find("size"), body_size);
}

void FrameStream::encode(std::string& out, std::initializer_list<Json::Written> header, std::uint64_t body_size) const {
  out.assign(kLengthBytes, '\0');
  Json::append_object_to(out, header);
  const auto* const size = std::ranges::find(header, std::string_view("size"), &Json::Written::key);
  finish_header(out, size == header.end() ? nullptr : &size->value, body_size);
}

// Of a header whose text stands in out, behind where its length goes. claimed: its "size", if it has one.
void FrameStream::finish_header(std::string& out, const Json* claimed, std::uint64_t body_size) const {
  if (body_size > FrameLimits::kMaxBody) throw std::invalid_argument("a frame's body has at most 2^63-1 bytes");
  if (claimed != nullptr) {
    if (claimed->to_uint64() != body_size) {
      throw std::invalid_argument(
          fmt::format("the header claims {} bytes, the body has {}", claimed->dump(), body_size));
    }
  } else if (body_size > 0) {
    out.back() = out.size() > kLengthBytes + 2 ? ',' : '{';
    if (out.size() == kLengthBytes + 2) out.pop_back();
    fmt::format_to(std::back_inserter(out), "\"size\":{}}}", body_size);
  }
  const std::size_t length = out.size() - kLengthBytes;
  if (length > limits_.max_header) {
    throw std::invalid_argument(
        fmt::format("a header of {} bytes is beyond the limit of {}", length, limits_.max_header));
  }
  write_length(out.data(), length);
}

template <class Header>
void FrameStream::send_bytes(const Header& header, BytesView body) {
  Outgoing outgoing;
  std::string& out = outgoing.text();
  encode(out, header, body.size());
  if (body.size() <= kJoinBody) {
    out.append(body.text());
    stream_->write_all(BytesView(out));
    return;
  }
  const std::array<BytesView, 2> parts{BytesView(out), body};
  stream_->write_all(parts);
}

template <class Header>
void FrameStream::send_slice(const Header& header, const FileSlice& body) {
  Outgoing outgoing;
  std::string& out = outgoing.text();
  encode(out, header, body.count);
  stream_->write_all(BytesView(out));
  const std::uint64_t sent = stream_->send_file(body.fd, body.offset, body.count);
  if (sent < body.count) {
    throw FrameError(FrameFault::truncated, fmt::format("the file ended {} bytes early", body.count - sent));
  }
}

void FrameStream::send(const Json& header, BytesView body) { send_bytes(header, body); }
void FrameStream::send(std::initializer_list<Json::Written> header, BytesView body) { send_bytes(header, body); }
void FrameStream::send(const Json& header, const FileSlice& body) { send_slice(header, body); }
void FrameStream::send(std::initializer_list<Json::Written> header, const FileSlice& body) { send_slice(header, body); }

void FrameStream::send_header(const Json& header) {
  Outgoing outgoing;
  std::string& out = outgoing.text();
  encode(out, header, claimed_body_size(header));
  stream_->write_all(BytesView(out));
}

// ---- receiving

void FrameStream::reserve(std::size_t capacity) {
  if (capacity_ < capacity) {
    std::unique_ptr<std::byte[], Free> larger(static_cast<std::byte*>(::operator new(capacity + kPadding)));
    if (buffered() > 0) std::memcpy(larger.get(), buffer_.get() + begin_, buffered());
    buffer_ = std::move(larger);
    capacity_ = capacity;
  } else if (begin_ + capacity > capacity_) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, buffered());
  } else {
    return;
  }
  filled_ -= begin_;
  begin_ = 0;
}

// Reads what there is room for; 0 at the end of the stream.
std::size_t FrameStream::fill() {
  const std::size_t got = stream_->read_some({buffer_.get() + filled_, capacity_ - filled_});
  filled_ += got;
  return got;
}

class FrameStream::Refill final : public LateBuffer {
 public:
  explicit Refill(FrameStream& frames) noexcept : frames_(frames) {}
  [[nodiscard]] std::size_t size() const noexcept override { return kBuffer; }
  [[nodiscard]] std::byte* take() noexcept override {
    if (!frames_.buffer_) {
      std::byte* buffer = t_spare.take();
      if (!buffer) buffer = static_cast<std::byte*>(::operator new(kBuffer + kPadding, std::nothrow));
      frames_.buffer_.reset(buffer);
      frames_.capacity_ = buffer ? kBuffer : 0;
    }
    return frames_.buffer_.get();
  }
  void give_back() noexcept override { frames_.give_buffer_back(); }

 private:
  FrameStream& frames_;
};

void FrameStream::give_buffer_back() noexcept {
  // A long header had its own large buffer.
  if (capacity_ == kBuffer && t_spare.keep(buffer_.get())) static_cast<void>(buffer_.release());
  buffer_.reset();
  capacity_ = 0;
}

// fill() when nothing is buffered: waits without a buffer.
std::size_t FrameStream::refill() {
  give_buffer_back();
  begin_ = filled_ = 0;
  Refill late(*this);
  filled_ = stream_->read_late(late);
  return filled_;
}

// False when the stream has ended.
bool FrameStream::await_first_byte() {
  if (buffered() > 0) return true;
  if (!limits_.idle) return refill() > 0;
  const Deadline idle(*limits_.idle, "frame");
  try {
    return refill() > 0;
  } catch (const DeadlineExceeded&) {
    if (!idle.passed()) throw;
    throw TimedOut("no frame came in time");
  }
}

// Waits until `wanted` bytes are buffered.
void FrameStream::await_header(std::size_t wanted) {
  reserve(wanted);
  while (buffered() < wanted) {
    if (fill() == 0) {
      fail(FrameFault::truncated,
           fmt::format("the stream ended after {} of the first {} bytes of a frame", buffered(), wanted));
    }
  }
}

Frame FrameStream::parse_header(std::size_t length) {
  const auto* text = reinterpret_cast<const char*>(buffer_.get() + begin_ + kLengthBytes);
  const std::size_t readable = capacity_ + kPadding - begin_ - kLengthBytes;
  try {
    Frame frame({text, length}, readable, limits_);
    body_left_ = frame.body_size();
    begin_ += kLengthBytes + length;
    return frame;
  } catch (const JsonSyntaxError& error) {
    fail(fault_of(error.fault()), fmt::format("the header is bad: {}", error.what()));
  } catch (const FrameError& error) {
    fail(error.fault(), error.what());
  }
}

Frame FrameStream::receive() {
  if (broken_) throw FrameError(*broken_);
  if (body_left_ > 0) skip_body();
  if (!await_first_byte()) return {};

  const auto header_length = [this] {
    const std::int32_t length = read_length(buffer_.get() + begin_);
    if (length <= 0) fail(FrameFault::bad_length, fmt::format("a header of {} bytes", length));
    const auto size = static_cast<std::size_t>(length);
    if (size > limits_.max_header) {
      fail(FrameFault::header_limit,
           fmt::format("a header of {} bytes is beyond the limit of {}", size, limits_.max_header));
    }
    return size;
  };
  // The usual case is one read for all of it, and then no clock is looked at.
  if (buffered() >= kLengthBytes) {
    const std::size_t length = header_length();
    if (buffered() >= kLengthBytes + length) return parse_header(length);
  }
  const Deadline deadline(Expiry::of(limits_.header), "frame header");
  try {
    await_header(kLengthBytes);
    const std::size_t length = header_length();
    await_header(kLengthBytes + length);
    return parse_header(length);
  } catch (const DeadlineExceeded&) {
    if (!deadline.passed()) throw;
    fail(FrameFault::slow, "the header did not arrive in time");
  }
}

std::size_t FrameStream::read_body(std::span<std::byte> into) {
  if (broken_) throw FrameError(*broken_);
  if (into.size() > body_left_) into = into.first(static_cast<std::size_t>(body_left_));
  if (into.empty()) return 0;
  if (buffered() == 0 && into.size() < kDirectRead) refill();
  std::size_t got = std::min(buffered(), into.size());
  if (got > 0) {
    std::memcpy(into.data(), buffer_.get() + begin_, got);
    begin_ += got;
  } else if (into.size() >= kDirectRead) {
    got = stream_->read_some(into);
  }
  if (got == 0) fail(FrameFault::truncated, fmt::format("the stream ended {} bytes before the body did", body_left_));
  body_left_ -= got;
  return got;
}

std::size_t FrameStream::read_body_exactly(std::span<std::byte> into) {
  std::size_t done = 0;
  try {
    while (done < into.size()) {
      const std::size_t got = read_body(into.subspan(done));
      if (got == 0) break;
      done += got;
    }
  } catch (...) {
    put_back(into.first(done));
    throw;
  }
  return done;
}

// Of the body, in front of what is buffered.
void FrameStream::put_back(std::span<const std::byte> taken) {
  if (broken_ || taken.empty()) return;
  reserve(std::max(buffered() + taken.size(), kBuffer));
  std::byte* const at = buffer_.get() + begin_;
  std::memmove(at + taken.size(), at, buffered());
  std::memcpy(at, taken.data(), taken.size());
  filled_ += taken.size();
  body_left_ += taken.size();
}

Bytes FrameStream::read_body_all(std::size_t limit) {
  if (body_left_ > limit) {
    throw FrameError(FrameFault::body_limit,
                     fmt::format("a body of {} bytes, where at most {} are taken", body_left_, limit));
  }
  if (!broken_ && body_left_ <= buffered()) {
    Bytes body(std::span<const std::byte>(buffer_.get() + begin_, static_cast<std::size_t>(body_left_)));
    begin_ += body.size();
    body_left_ = 0;
    return body;
  }
  return wait_for_body();
}

Bytes FrameStream::wait_for_body() {
  // Memory follows what has arrived, not what was claimed.
  constexpr std::size_t kStep = 1024 * 1024;
  Bytes body = Bytes::uninitialised(static_cast<std::size_t>(std::min<std::uint64_t>(body_left_, kStep)));
  read_body_exactly(body.span());
  try {
    while (body_left_ > 0) {
      Bytes more = Bytes::uninitialised(static_cast<std::size_t>(std::min<std::uint64_t>(body_left_, kStep)));
      read_body_exactly(more.span());
      body.append(more.span());
    }
  } catch (...) {
    put_back(body.span());
    throw;
  }
  return body;
}

void FrameStream::skip_body() {
  while (body_left_ > 0) {
    if (buffered() == 0 && refill() == 0) {
      fail(FrameFault::truncated, fmt::format("the stream ended {} bytes before the body did", body_left_));
    }
    const auto dropped = static_cast<std::size_t>(std::min<std::uint64_t>(buffered(), body_left_));
    begin_ += dropped;
    body_left_ -= dropped;
  }
}

}  // namespace hawser
