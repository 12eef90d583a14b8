#include <hawser/net/buffered_reader.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include <hawser/net/buffered_writer.h>

namespace hawser {
namespace {

constexpr std::size_t kFirstBuffer = 1024;
constexpr std::size_t kLargestStep = 64 * 1024;

// Shows that there is more than the limit.
constexpr std::size_t one_more(std::size_t limit) {
  return limit == std::numeric_limits<std::size_t>::max() ? limit : limit + 1;
}

}  // namespace

BufferedReader::BufferedReader(Stream& stream, std::size_t line_limit) : stream_(&stream), line_limit_(line_limit) {}

std::optional<std::string> BufferedReader::read_line() {
  const std::size_t wanted = one_more(line_limit_);
  std::size_t scanned = 0;
  for (;;) {
    const std::string_view here = buffered();
    const std::size_t end = here.find('\n', scanned);
    if ((end == std::string_view::npos ? here.size() : end + 1) > line_limit_) {
      throw LimitExceeded("read_line " + name() + ": longer than " + std::to_string(line_limit_) + " bytes",
                          line_limit_);
    }
    if (end != std::string_view::npos) return take(end + 1);
    scanned = here.size();
    // A line of just the limit without a '\n' may be the last one: only another byte tells.
    if (!fill(wanted)) break;
  }
  if (buffered().empty()) return std::nullopt;
  return take(buffered().size());
}

std::optional<std::string> BufferedReader::read_until(std::string_view delimiter, std::size_t limit) {
  if (delimiter.empty()) throw std::invalid_argument("read_until: the delimiter is empty");
  std::size_t scanned = 0;
  for (;;) {
    const std::string_view here = buffered();
    const std::size_t at = here.find(delimiter, scanned);
    const std::size_t piece = at == std::string_view::npos ? here.size() : at + delimiter.size();
    if (piece > limit || (at == std::string_view::npos && piece == limit)) {
      throw LimitExceeded("read_until " + name() + ": no delimiter within " + std::to_string(limit) + " bytes", limit);
    }
    if (at != std::string_view::npos) return take(piece);
    scanned = here.size() - std::min(here.size(), delimiter.size() - 1);
    if (!fill(limit)) break;
  }
  if (buffered().empty()) return std::nullopt;
  throw EndOfStream("read_until " + name() + ": the stream ended before the delimiter", buffered().size());
}

void BufferedReader::read_exactly(std::span<std::byte> into) {
  if (into.size() >= kLargestStep) return read_past(into);
  gather(into.size());
  if (into.empty()) return;  // and there may be no memory at all
  std::memcpy(into.data(), buffer_.get() + begin_, into.size());
  begin_ += into.size();
}

Bytes BufferedReader::read_exactly(std::size_t count) {
  gather(count);
  Bytes bytes(buffered().substr(0, count));
  begin_ += count;
  return bytes;
}

Bytes BufferedReader::read(std::size_t limit) {
  if (limit == 0) return {};
  if (buffered().empty() && !fill(std::min(limit, kLargestStep))) return {};
  const std::size_t count = std::min(limit, buffered().size());
  Bytes bytes(buffered().substr(0, count));
  begin_ += count;
  return bytes;
}

bool BufferedReader::at_end() { return buffered().empty() && !fill(1); }

Bytes BufferedReader::read_all(std::size_t limit) {
  while (fill(one_more(limit))) {
    if (buffered().size() > limit) {
      throw LimitExceeded("read_all " + name() + ": more than " + std::to_string(limit) + " bytes", limit);
    }
  }
  Bytes bytes(buffered());
  begin_ = filled_ = 0;
  return bytes;
}

std::string BufferedReader::take(std::size_t count) {
  std::string text(buffered().substr(0, count));
  begin_ += count;
  return text;
}

bool BufferedReader::fill(std::size_t wanted) {
  const std::size_t unread = filled_ - begin_;
  if (unread >= wanted) return true;
  if (unread == 0) begin_ = filled_ = 0;
  if (filled_ == capacity_) {
    if (begin_ >= capacity_ / 2 && begin_ > 0) {
      std::memmove(buffer_.get(), buffer_.get() + begin_, unread);
    } else {
      // Twice what proved too small, but never more than is asked for.
      const std::size_t larger = std::max(kFirstBuffer, capacity_ * 2);
      const std::size_t capacity = std::max(unread + 1, std::min(larger, std::max(wanted, kFirstBuffer)));
      std::unique_ptr<std::byte[]> grown(new std::byte[capacity]);
      if (unread) std::memcpy(grown.get(), buffer_.get() + begin_, unread);
      buffer_ = std::move(grown);
      capacity_ = capacity;
    }
    begin_ = 0;
    filled_ = unread;
  }
  if (tied_ && tied_->buffered() > 0) tied_->flush();
  const std::size_t count = stream_->read_some({buffer_.get() + filled_, capacity_ - filled_});
  filled_ += count;
  return count > 0;
}

void BufferedReader::gather(std::size_t count) {
  while (buffered().size() < count) {
    if (!fill(count)) refuse_end(buffered().size(), count);
  }
}

void BufferedReader::refuse_end(std::size_t received, std::size_t wanted) const {
  throw EndOfStream("read_exactly " + name() + ": the stream ended after " + std::to_string(received) + " of " +
                        std::to_string(wanted) + " bytes",
                    received);
}

// Large reads pass by the buffer. What interrupts one finds in the buffer what had come.
void BufferedReader::read_past(std::span<std::byte> into) {
  std::size_t have = std::min(into.size(), buffered().size());
  if (have > 0) std::memcpy(into.data(), buffer_.get() + begin_, have);
  begin_ += have;
  try {
    while (have < into.size()) {
      if (tied_ && tied_->buffered() > 0) tied_->flush();
      const std::size_t count = stream_->read_some(into.subspan(have));
      if (count == 0) refuse_end(have, into.size());
      have += count;
    }
  } catch (...) {
    put_back(into.first(have));
    throw;
  }
}

// Into the buffer, which is empty.
void BufferedReader::put_back(std::span<const std::byte> bytes) {
  if (capacity_ < bytes.size()) {
    buffer_.reset(new std::byte[bytes.size()]);
    capacity_ = bytes.size();
  }
  if (!bytes.empty()) std::memcpy(buffer_.get(), bytes.data(), bytes.size());
  begin_ = 0;
  filled_ = bytes.size();
}

std::string_view without_line_end(std::string_view line) noexcept {
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace hawser
