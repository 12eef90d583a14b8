// Struct: numbers and bytes packed as C lays them out, by a format that is known only at run time.
//
//   Struct header("<i3sf");
//   Bytes bytes = header.pack(1, "abc", 2.7);
//   for (const StructValue& value : header.unpack(bytes)) ...
//
// A format that is written in the program is better compiled: hawser/wire/pack.h. The grammar stands in
// hawser/wire/struct_format.h.
//
// Nothing waits. What does not fit throws StructError (StructOverflow: a real too large for its format) with the words
// of Python's module struct: a bad format at construction, a wrong number of values, a value out of its range, a buffer
// of the wrong size. All values are looked at before the first byte is written. Everything is a value; a Struct may be
// used from everywhere at once.
#pragma once

#include <array>
#include <cstddef>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/base/bytes.h>
#include <hawser/wire/struct_error.h>
#include <hawser/wire/struct_format.h>
#include <hawser/wire/struct_value.h>

namespace hawser {

class StructRange;

class Struct {
 public:
  explicit Struct(std::string_view format);

  [[nodiscard]] const std::string& format() const noexcept { return format_; }
  // Bytes it takes; values it holds.
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::size_t values() const noexcept { return values_; }

  template <class... Values>
  [[nodiscard]] Bytes pack(const Values&... values) const {
    return pack_values(std::array<StructArgument, sizeof...(Values)>{StructArgument(values)...});
  }
  [[nodiscard]] Bytes pack_values(std::span<const StructArgument> values) const;

  // Writes at offset, which counts from the buffer's end when it is negative. Pads become zero.
  template <class... Values>
  void pack_into(std::span<std::byte> buffer, std::ptrdiff_t offset, const Values&... values) const {
    pack_values_into(buffer, offset, std::array<StructArgument, sizeof...(Values)>{StructArgument(values)...});
  }
  void pack_values_into(std::span<std::byte> buffer, std::ptrdiff_t offset,
                        std::span<const StructArgument> values) const;

  // bytes must be of exactly size().
  [[nodiscard]] std::vector<StructValue> unpack(BytesView bytes) const;
  // The structure that begins at offset, which counts from the end when it is negative.
  [[nodiscard]] std::vector<StructValue> unpack_from(BytesView buffer, std::ptrdiff_t offset = 0) const;
  // One structure behind the other, each unpacked when it is its turn. The range borrows this Struct and the bytes.
  [[nodiscard]] StructRange iter_unpack(BytesView bytes) const;

 private:
  void check(std::span<const StructArgument> values, std::string_view operation) const;
  void write(std::byte* at, std::span<const StructArgument> values) const;
  [[nodiscard]] std::vector<StructValue> read(const std::byte* at) const;

  std::string format_;
  std::vector<FormatItem> items_;
  std::size_t size_ = 0;
  std::size_t values_ = 0;
  bool swapped_ = false;
};

// What iter_unpack gives: for (std::vector<StructValue> values : header.iter_unpack(bytes)).
class StructRange {
 public:
  class iterator {
   public:
    using value_type = std::vector<StructValue>;
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::input_iterator_tag;

    iterator() = default;
    iterator(const Struct* format, BytesView rest) noexcept : format_(format), rest_(rest) {}
    value_type operator*() const { return format_->unpack_from(rest_); }
    iterator& operator++() noexcept {
      rest_ = rest_.from(format_->size());
      return *this;
    }
    void operator++(int) noexcept { ++*this; }
    friend bool operator==(const iterator& at, std::default_sentinel_t /*end*/) noexcept { return at.rest_.empty(); }

   private:
    const Struct* format_ = nullptr;
    BytesView rest_;
  };

  StructRange(const Struct& format, BytesView bytes) noexcept : format_(&format), bytes_(bytes) {}
  [[nodiscard]] iterator begin() const noexcept { return {format_, bytes_}; }
  [[nodiscard]] std::default_sentinel_t end() const noexcept { return {}; }

 private:
  const Struct* format_;
  BytesView bytes_;
};

// The size of a structure. Throws StructError.
[[nodiscard]] inline std::size_t calcsize(std::string_view format) { return Struct(format).size(); }

}  // namespace hawser
