// The grammar of struct formats, one for formats known to the compiler and for those that come at run time.
//
//   [@ = < > !] { [count] letter }        white space between items, none between a count and its letter
//
//   @ or nothing: the machine's order, sizes and alignment, no padding at the end.  =  the machine's order, < little-
//   endian, > and ! big-endian: standard sizes, no alignment.
//
//   x pad  c one byte  ? bool  b B h H i I l L q Q integers  n N ssize_t and size_t, P a pointer: native only
//   e f d reals of 2, 4 and 8 bytes  s bytes  p bytes behind their length: before these two a count is a length
//
// Nothing waits and nothing is owned: a reader looks at the text it was given. Source: the documentation of Python's
// module struct, whose bytes and rejections these are.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

namespace hawser {

// What is wrong with a format.
enum class FormatFault : std::uint8_t {
  none,
  bad_char,   // no letter of the grammar, or one that only native formats have
  no_letter,  // a count with nothing behind it
  too_long,   // the bytes would not fit in memory
};

// One letter with its count.
struct FormatItem {
  char code = 'x';
  std::size_t count = 0;   // repetitions; of s and p the length
  std::size_t offset = 0;  // of the first
  std::size_t size = 0;    // of one

  // How many values it takes or gives.
  [[nodiscard]] constexpr std::size_t values() const noexcept {
    if (code == 'x') return 0;
    return is_bytes() ? 1 : count;
  }
  [[nodiscard]] constexpr bool is_bytes() const noexcept { return code == 's' || code == 'p'; }
  [[nodiscard]] constexpr bool is_real() const noexcept { return code == 'e' || code == 'f' || code == 'd'; }
  [[nodiscard]] constexpr bool is_integer() const noexcept {
    return std::string_view("bBhHiIlLqQnNP").find(code) != std::string_view::npos;
  }
  [[nodiscard]] constexpr bool is_signed() const noexcept {
    return std::string_view("bhilqn").find(code) != std::string_view::npos;
  }
  // The limits of an integer.
  [[nodiscard]] constexpr std::int64_t least() const noexcept {
    return is_signed() ? std::numeric_limits<std::int64_t>::min() >> (64 - 8 * size) : 0;
  }
  [[nodiscard]] constexpr std::uint64_t greatest() const noexcept {
    return std::numeric_limits<std::uint64_t>::max() >> (64 - 8 * size + (is_signed() ? 1 : 0));
  }
};

class FormatReader {
 public:
  constexpr explicit FormatReader(std::string_view format) noexcept : format_(format) {
    if (format.empty()) return;
    switch (format.front()) {
      case '@':
        break;
      case '=':
        native_ = false;
        break;
      case '<':
        native_ = false;
        order_ = std::endian::little;
        break;
      case '>':
      case '!':
        native_ = false;
        order_ = std::endian::big;
        break;
      default:
        return;
    }
    at_ = 1;
  }

  // Reads the next item. False at the end and at a fault.
  constexpr bool next(FormatItem& item) noexcept {
    while (at_ < format_.size() && is_space(format_[at_])) ++at_;
    if (at_ == format_.size() || fault_ != FormatFault::none) return false;
    std::size_t count = 1;
    if (is_digit(format_[at_])) {
      count = 0;
      while (at_ < format_.size() && is_digit(format_[at_])) {
        const auto digit = static_cast<std::size_t>(format_[at_] - '0');
        if (count > (kLongest - digit) / 10) return fail(FormatFault::too_long);
        count = count * 10 + digit;
        ++at_;
      }
      if (at_ == format_.size()) return fail(FormatFault::no_letter);
    }
    const Layout layout = layout_of(format_[at_]);
    if (layout.size == 0) return fail(FormatFault::bad_char);
    const std::size_t past = size_ % layout.alignment;
    const std::size_t gap = past == 0 ? 0 : layout.alignment - past;
    if (size_ > kLongest - gap || count > (kLongest - size_ - gap) / layout.size) return fail(FormatFault::too_long);
    size_ += gap;
    item = {format_[at_], count, size_, layout.size};
    size_ += count * layout.size;
    ++at_;
    return true;
  }

  // How far it has come: bytes of the structure, place in the text.
  [[nodiscard]] constexpr std::size_t size() const noexcept { return size_; }
  [[nodiscard]] constexpr std::size_t position() const noexcept { return at_; }
  [[nodiscard]] constexpr FormatFault fault() const noexcept { return fault_; }
  // Whether the bytes of a number come in the other order than this machine has them.
  [[nodiscard]] constexpr bool swapped() const noexcept { return order_ != std::endian::native; }

 private:
  static constexpr std::size_t kLongest = std::numeric_limits<std::ptrdiff_t>::max();

  struct Layout {
    std::size_t size = 0;
    std::size_t alignment = 1;
  };
  template <class T>
  [[nodiscard]] constexpr Layout layout(std::size_t standard) const noexcept {
    return native_ ? Layout{sizeof(T), alignof(T)} : Layout{standard, 1};
  }
  // No size: not a letter of this format.
  [[nodiscard]] constexpr Layout layout_of(char code) const noexcept {
    switch (code) {
      case 'x':
      case 'c':
      case 'b':
      case 'B':
      case '?':
      case 's':
      case 'p':
        return {1, 1};
      case 'h':
      case 'H':
        return layout<short>(2);
      case 'i':
      case 'I':
        return layout<int>(4);
      case 'l':
      case 'L':
        return layout<long>(4);
      case 'q':
      case 'Q':
        return layout<long long>(8);
      case 'n':
      case 'N':
        return layout<std::size_t>(0);
      case 'P':
        return layout<void*>(0);
      case 'e':
        return layout<short>(2);
      case 'f':
        return layout<float>(4);
      case 'd':
        return layout<double>(8);
      default:
        return {};
    }
  }
  static constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
  static constexpr bool is_space(char c) noexcept { return c == ' ' || (c >= '\t' && c <= '\r'); }
  constexpr bool fail(FormatFault fault) noexcept {
    fault_ = fault;
    return false;
  }

  std::string_view format_;
  std::size_t at_ = 0;
  std::size_t size_ = 0;
  bool native_ = true;
  std::endian order_ = std::endian::native;
  FormatFault fault_ = FormatFault::none;
};

}  // namespace hawser
