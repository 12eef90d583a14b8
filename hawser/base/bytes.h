// Bytes: an owned run of bytes, as read from a socket, a pipe or a file.
//
// Converts to std::string_view and to std::span<const std::byte>; true in a condition when it is not empty, so that
// `while (Bytes data = peer.recv(1024))` ends with the stream. Copies copy the bytes; moves leave the source empty.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace hawser {

class Bytes {
 public:
  Bytes() = default;
  // size bytes whose values are not yet set.
  static Bytes uninitialised(std::size_t size);
  Bytes(std::string_view text);         // NOLINT(google-explicit-constructor): text is bytes wherever bytes are wanted
  Bytes(std::span<const std::byte> s);  // NOLINT(google-explicit-constructor)
  Bytes(const char* text) : Bytes(std::string_view(text)) {}         // NOLINT(google-explicit-constructor)
  Bytes(const std::string& text) : Bytes(std::string_view(text)) {}  // NOLINT(google-explicit-constructor)
  Bytes(const Bytes& other) : Bytes(other.view()) {}
  Bytes(Bytes&& other) noexcept
      : data_(std::move(other.data_)),
        size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}
  Bytes& operator=(Bytes other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    return *this;
  }
  ~Bytes() = default;

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  explicit operator bool() const noexcept { return size_ != 0; }
  [[nodiscard]] const std::byte* data() const noexcept { return data_.get(); }
  [[nodiscard]] std::byte* data() noexcept { return data_.get(); }
  [[nodiscard]] const std::byte* begin() const noexcept { return data(); }
  [[nodiscard]] const std::byte* end() const noexcept { return data() + size_; }

  [[nodiscard]] std::string_view view() const noexcept { return {reinterpret_cast<const char*>(data_.get()), size_}; }
  [[nodiscard]] std::span<const std::byte> span() const noexcept { return {data(), size_}; }
  [[nodiscard]] std::span<std::byte> span() noexcept { return {data(), size_}; }
  [[nodiscard]] std::string str() const { return std::string(view()); }
  operator std::string_view() const noexcept { return view(); }            // NOLINT(google-explicit-constructor)
  operator std::span<const std::byte>() const noexcept { return span(); }  // NOLINT(google-explicit-constructor)

  // Keeps the first size bytes. Throws std::length_error when there are fewer.
  void truncate(std::size_t size);
  Bytes& append(std::span<const std::byte> more);
  void clear() noexcept { size_ = 0; }

  friend bool operator==(const Bytes& a, const Bytes& b) noexcept { return a.view() == b.view(); }
  friend bool operator==(const Bytes& a, std::string_view b) noexcept { return a.view() == b; }
  friend bool operator==(const Bytes& a, const char* b) noexcept { return a.view() == b; }

 private:
  struct Free {
    void operator()(std::byte* p) const noexcept;
  };
  std::unique_ptr<std::byte[], Free> data_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

// A read-only view of bytes: what every sending call takes. Text, Bytes and spans convert to it; it owns nothing.
class BytesView {
 public:
  BytesView() = default;
  BytesView(const char* text) : BytesView(std::string_view(text)) {}  // NOLINT(google-explicit-constructor)
  BytesView(std::string_view text) noexcept                           // NOLINT(google-explicit-constructor)
      : span_(reinterpret_cast<const std::byte*>(text.data()), text.size()) {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  BytesView(const std::string& text) noexcept : BytesView(std::string_view(text)) {}
  BytesView(std::span<const std::byte> s) noexcept : span_(s) {}   // NOLINT(google-explicit-constructor)
  BytesView(std::span<std::byte> s) noexcept : span_(s) {}         // NOLINT(google-explicit-constructor)
  BytesView(const Bytes& bytes) noexcept : span_(bytes.span()) {}  // NOLINT(google-explicit-constructor)

  [[nodiscard]] const std::byte* data() const noexcept { return span_.data(); }
  [[nodiscard]] std::size_t size() const noexcept { return span_.size(); }
  [[nodiscard]] bool empty() const noexcept { return span_.empty(); }
  [[nodiscard]] std::span<const std::byte> span() const noexcept { return span_; }
  [[nodiscard]] std::string_view text() const noexcept {
    return {reinterpret_cast<const char*>(span_.data()), span_.size()};
  }
  // The part from offset on; empty past the end.
  [[nodiscard]] BytesView from(std::size_t offset) const noexcept {
    return offset >= size() ? BytesView() : BytesView(span_.subspan(offset));
  }
  [[nodiscard]] BytesView first(std::size_t count) const noexcept {
    return span_.first(count < size() ? count : size());
  }

 private:
  std::span<const std::byte> span_;
};

}  // namespace hawser
