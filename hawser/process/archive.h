// ArchiveWriter and ArchiveReader: the two ends of a value's way across a process border. What types they take, and how
// a type of one's own joins in, is told in <hawser/process/serialise.h>.
//
// The bytes are this machine's own, between two processes of one program: no versions, no other byte order. The reader
// trusts nothing: every length is checked against what is there before anything is allocated, all that containers take
// together has a limit, and so has the depth. Whatever the bytes are, the outcome is a value or SerialiseError.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

#include <hawser/base/bytes.h>

namespace hawser {

// Bytes that are no value of the type, or a value that can't be written: the message says which.
class SerialiseError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

namespace detail {
template <class T>
struct Wire;
}

class ArchiveWriter {
 public:
  // Appends to `out`, which must outlive the writer.
  explicit ArchiveWriter(std::string& out) noexcept : out_(out) {}

  // Each value in turn: archive(name, age).
  template <class... T>
  ArchiveWriter& operator()(const T&... values) {
    (detail::Wire<T>::write(*this, values), ...);
    return *this;
  }
  static constexpr bool kWrites = true;

  void raw(const void* data, std::size_t size) { out_.append(static_cast<const char*>(data), size); }
  void length(std::size_t count) {
    const std::uint64_t wide = count;
    raw(&wide, sizeof wide);
  }

 private:
  std::string& out_;
};

class ArchiveReader {
 public:
  static constexpr std::size_t kMemoryLimit = std::size_t{1} << 30;
  // memory_limit: the most that containers and strings may take in all.
  explicit ArchiveReader(BytesView bytes, std::size_t memory_limit = kMemoryLimit) noexcept
      : rest_(bytes.span()), memory_left_(memory_limit) {}

  // Reads into each value in turn: archive(name, age).
  template <class... T>
  ArchiveReader& operator()(T&... values) {
    const Deeper deeper(*this);
    (detail::Wire<T>::read(*this, values), ...);
    return *this;
  }
  static constexpr bool kWrites = false;

  void raw(void* into, std::size_t size) {
    const std::span<const std::byte> bytes = take(size);
    if (size) std::memcpy(into, bytes.data(), size);
  }
  [[nodiscard]] std::span<const std::byte> take(std::size_t size) {
    if (size > rest_.size()) fail("the bytes end within a value");
    const std::span<const std::byte> bytes = rest_.first(size);
    rest_ = rest_.subspan(size);
    return bytes;
  }
  // How many items follow, each of which takes at least item_bytes of the bytes and memory_bytes of memory.
  [[nodiscard]] std::size_t length(std::size_t item_bytes, std::size_t memory_bytes) {
    std::uint64_t count = 0;
    raw(&count, sizeof count);
    if (count > rest_.size() / item_bytes) fail("a length goes beyond the bytes");
    if (count > memory_left_ / memory_bytes) fail("the value takes more memory than is allowed");
    memory_left_ -= static_cast<std::size_t>(count) * memory_bytes;
    return static_cast<std::size_t>(count);
  }
  // Counts memory that is not told by a length.
  void charge(std::size_t memory_bytes) {
    if (memory_bytes > memory_left_) fail("the value takes more memory than is allowed");
    memory_left_ -= memory_bytes;
  }

  [[nodiscard]] BytesView rest() const noexcept { return rest_; }
  // Throws SerialiseError when bytes are left.
  void expect_end() const {
    if (!rest_.empty()) fail("bytes are left after the value");
  }
  [[noreturn]] static void fail(const char* why) {
    throw SerialiseError(std::string("not a serialised value: ") + why);
  }

 private:
  // A fiber's stack is small, and some types nest without end.
  static constexpr int kMostDepth = 100;
  class Deeper {
   public:
    explicit Deeper(ArchiveReader& reader) : reader_(reader) {
      if (++reader_.depth_ > kMostDepth) {
        --reader_.depth_;
        fail("values are nested too deeply");
      }
    }
    Deeper(const Deeper&) = delete;
    Deeper& operator=(const Deeper&) = delete;
    ~Deeper() { --reader_.depth_; }

   private:
    ArchiveReader& reader_;
  };

  std::span<const std::byte> rest_;
  std::size_t memory_left_;
  int depth_ = 0;
};

}  // namespace hawser
