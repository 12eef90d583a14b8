// pack and unpack: binary structures whose format the compiler knows.
//
//   auto bytes = pack<"<i3sf">(1, "abc", 2.7f);              // FixedBytes<11>: nothing allocated, may be constexpr
//   auto [number, text, real] = unpack<"<i3sf">(bytes);      // std::int32_t, FixedBytes<3>, float
//   for (auto [x, y] : iter_unpack<"<hh">(points)) ...       // one behind the other
//
// A format that is none, a wrong number of values and a value of the wrong kind do not compile, and the message says
// why. What only the run can tell throws StructError with the words of Python's struct: a number out of the format's
// range (looked at only where the value's type can be), bytes of the wrong number. It compiles to the loads and stores
// one would write by hand. The grammar stands in hawser/wire/struct_format.h; formats that come at run time are for
// hawser/wire/struct.h. Nothing waits; everything is a value.
//
// Unpacked: integers as std::int8_t to std::uint64_t, ? as bool, c as char, e and f as float, d as double, s as
// FixedBytes, p as std::string.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include <hawser/base/bytes.h>
#include <hawser/wire/fixed_bytes.h>
#include <hawser/wire/half.h>
#include <hawser/wire/struct_error.h>
#include <hawser/wire/struct_format.h>

namespace hawser {

// A format as a template's argument: pack<"<i">.
template <std::size_t N>
struct FormatText {
  consteval FormatText(const char (&text)[N]) {  // NOLINT(google-explicit-constructor): a literal stands for itself
    std::copy_n(text, N, characters);
  }
  [[nodiscard]] constexpr std::string_view view() const noexcept { return {characters, N - 1}; }
  char characters[N]{};
};

namespace detail {

struct FormatSummary {
  FormatFault fault;
  std::size_t size;
  std::size_t values;
  bool swapped;
};

constexpr FormatSummary summary_of(std::string_view format) {
  FormatReader reader(format);
  FormatItem item;
  std::size_t values = 0;
  while (reader.next(item)) values += item.values();
  return {reader.fault(), reader.size(), values, reader.swapped()};
}

// Every value's place, in the order of the values.
template <std::size_t Values>
constexpr std::array<FormatItem, Values> places_of(std::string_view format) {
  std::array<FormatItem, Values> places;
  std::size_t at = 0;
  FormatReader reader(format);
  FormatItem item;
  while (reader.next(item)) {
    if (item.is_bytes()) {
      places[at++] = item;
    } else {
      for (std::size_t i = 0; i < item.values(); ++i) {
        places[at++] = {item.code, 1, item.offset + i * item.size, item.size};
      }
    }
  }
  return places;
}

template <FormatText F>
struct CompiledFormat {
  static constexpr FormatSummary kSummary = summary_of(F.view());
  static_assert(kSummary.fault != FormatFault::bad_char, "bad char in struct format");
  static_assert(kSummary.fault != FormatFault::no_letter, "repeat count given without format specifier");
  static_assert(kSummary.fault != FormatFault::too_long, "total struct size too long");
  static constexpr std::size_t kSize = kSummary.size;
  static constexpr std::size_t kValues = kSummary.values;
  static constexpr std::array<FormatItem, kValues> kPlaces = places_of<kValues>(F.view());
  // Whether there are bytes that belong to no value.
  static constexpr bool kPadded = [] {
    std::size_t used = 0;
    for (const FormatItem& place : kPlaces) used += place.count * place.size;
    return used != kSize;
  }();
};

template <std::size_t Size>
using BitsOf = std::conditional_t<
    Size == 1, std::uint8_t,
    std::conditional_t<Size == 2, std::uint16_t, std::conditional_t<Size == 4, std::uint32_t, std::uint64_t>>>;

template <class Bits>
constexpr Bits in_order(Bits bits, bool swapped) noexcept {
  if (!swapped) return bits;
  if constexpr (sizeof bits == 2) return __builtin_bswap16(bits);
  if constexpr (sizeof bits == 4) return __builtin_bswap32(bits);
  if constexpr (sizeof bits == 8) return __builtin_bswap64(bits);
  return bits;
}

// The bytes of a number as they lie in memory; std::memcpy where that is allowed.
template <class Bits>
constexpr void store(std::byte* at, Bits bits) noexcept {
  if (std::is_constant_evaluated()) {
    const auto bytes = std::bit_cast<std::array<std::byte, sizeof bits>>(bits);
    std::copy(bytes.begin(), bytes.end(), at);
  } else {
    std::memcpy(at, &bits, sizeof bits);
  }
}

// Text of char is bytes; an array of char ends at its first zero.
template <class V>
concept ByteText = !std::same_as<V, std::nullptr_t> &&
                   (std::convertible_to<const V&, std::string_view> || std::convertible_to<const V&, BytesView>);

template <ByteText V>
constexpr auto bytes_in(const V& value) {
  if constexpr (std::is_array_v<V>) {
    return std::string_view(value, static_cast<std::size_t>(std::find(value, value + std::extent_v<V>, '\0') - value));
  } else if constexpr (std::convertible_to<const V&, std::string_view>) {
    return static_cast<std::string_view>(value);
  } else {
    return static_cast<BytesView>(value).text();
  }
}

// A char is a byte.
template <class V>
concept WholeNumber = std::integral<V> && !std::same_as<V, char>;

template <FormatItem Place, class V>
constexpr BitsOf<Place.size> integer_bits(const V& value) {
  static_assert(WholeNumber<V>, "required argument is not an integer");
  using Limits = std::numeric_limits<V>;
  if constexpr (std::signed_integral<V> && Place.code == 'P') {
    // A pointer is taken in either reading.
  } else if constexpr (std::signed_integral<V>) {
    constexpr bool kFits = static_cast<std::int64_t>(Limits::min()) >= Place.least() &&
                           static_cast<std::uint64_t>(Limits::max()) <= Place.greatest();
    if constexpr (!kFits) {
      if (value < 0 ? static_cast<std::int64_t>(value) < Place.least()
                    : static_cast<std::uint64_t>(value) > Place.greatest()) {
        refuse_range(Place);
      }
    }
  } else if constexpr (static_cast<std::uint64_t>(Limits::max()) > Place.greatest()) {
    if (static_cast<std::uint64_t>(value) > Place.greatest()) refuse_range(Place);
  }
  return static_cast<BitsOf<Place.size>>(value);
}

// The number as a narrower real. One that becomes infinite is refused unless it was.
template <FormatItem Place, class Real, class V>
constexpr Real narrowed(const V& value) {
  const auto real = static_cast<Real>(value);
  if constexpr (std::floating_point<V> && sizeof(V) > sizeof(Real)) {
    constexpr Real kMost = std::numeric_limits<Real>::max();
    constexpr V kInfinite = std::numeric_limits<V>::infinity();
    if ((real > kMost || real < -kMost) && value < kInfinite && value > -kInfinite) refuse_real(Place);
  }
  return real;
}

template <FormatItem Place, class V>
constexpr BitsOf<Place.size> real_bits(const V& value) {
  static_assert(std::floating_point<V> || WholeNumber<V>, "required argument is not a float");
  if constexpr (Place.code == 'd') {
    return std::bit_cast<std::uint64_t>(narrowed<Place, double>(value));
  } else if constexpr (Place.code == 'f') {
    return std::bit_cast<std::uint32_t>(narrowed<Place, float>(value));
  } else {
    const auto half = half_from(narrowed<Place, double>(value));
    if (!half) {
      if constexpr (std::integral<V>) refuse_integer_as_real();
      refuse_real(Place);
    }
    return *half;
  }
}

// Only no bytes are false, and a char is one.
template <class V>
constexpr bool truth_of(const V& value) {
  if constexpr (std::same_as<V, char>) {
    return true;
  } else if constexpr (ByteText<V>) {
    return !bytes_in(value).empty();
  } else {
    static_assert(std::constructible_from<bool, const V&>, "argument for '?' must be true or false");
    return static_cast<bool>(value);
  }
}

template <FormatItem Place, bool Swapped, class V>
constexpr void put_value(std::byte* structure, const V& value) {
  std::byte* at = structure + Place.offset;
  if constexpr (Place.is_bytes()) {
    static_assert(ByteText<V>, "argument for 's' or 'p' must be bytes");
    if constexpr (Place.count > 0) {
      const std::string_view bytes = bytes_in(value);
      constexpr std::size_t kHead = Place.code == 'p' ? 1 : 0;
      const std::size_t length = std::min(bytes.size(), Place.count - kHead);
      if constexpr (kHead != 0) *at = static_cast<std::byte>(std::min<std::size_t>(length, 255));
      if (std::is_constant_evaluated()) {
        for (std::size_t i = kHead; i < Place.count; ++i) {
          at[i] = i - kHead < length ? static_cast<std::byte>(bytes[i - kHead]) : std::byte{0};
        }
      } else if (length == Place.count - kHead) {
        // The usual case, and of a length that the compiler knows.
        std::memcpy(at + kHead, bytes.data(), Place.count - kHead);
      } else {
        std::memset(at + kHead, 0, Place.count - kHead);
        if (length > 0) std::memcpy(at + kHead, bytes.data(), length);
      }
    }
  } else if constexpr (Place.code == 'c') {
    if constexpr (std::same_as<V, char>) {
      *at = static_cast<std::byte>(value);
    } else {
      static_assert(ByteText<V>, "char format requires a char or one byte");
      const std::string_view bytes = bytes_in(value);
      if (bytes.size() != 1) refuse_char();
      *at = static_cast<std::byte>(bytes.front());
    }
  } else if constexpr (Place.code == '?') {
    *at = static_cast<std::byte>(truth_of(value) ? 1 : 0);
  } else if constexpr (Place.is_real()) {
    store(at, in_order(real_bits<Place>(value), Swapped));
  } else if constexpr (std::is_pointer_v<V>) {
    static_assert(Place.code == 'P', "required argument is not an integer");
    store(at, in_order(static_cast<BitsOf<Place.size>>(reinterpret_cast<std::uintptr_t>(value)), Swapped));
  } else {
    store(at, in_order(integer_bits<Place>(value), Swapped));
  }
}

// Throws what putting it would throw.
template <FormatItem Place, class V>
constexpr void check_value(const V& value) {
  if constexpr (Place.code == 'c' && !std::same_as<V, char>) {
    if (bytes_in(value).size() != 1) refuse_char();
  } else if constexpr (Place.is_real()) {
    (void)real_bits<Place>(value);
  } else if constexpr (Place.is_integer() && !std::is_pointer_v<V>) {
    (void)integer_bits<Place>(value);
  }
}

// What a FixedBytes in the result is made of, so that its bytes are copied once.
template <FormatItem Place, bool Swapped>
auto get_value(const std::byte* structure) {
  const std::byte* at = structure + Place.offset;
  if constexpr (Place.code == 's') {
    return std::span<const std::byte, Place.count>(at, Place.count);
  } else if constexpr (Place.code == 'p') {
    if constexpr (Place.count == 0) {
      return std::string();
    } else {
      const std::size_t length = std::min(std::to_integer<std::size_t>(*at), Place.count - 1);
      return std::string(reinterpret_cast<const char*>(at + 1), length);
    }
  } else if constexpr (Place.code == 'c') {
    return static_cast<char>(*at);
  } else if constexpr (Place.code == '?') {
    return *at != std::byte{0};
  } else {
    BitsOf<Place.size> bits;
    std::memcpy(&bits, at, sizeof bits);
    bits = in_order(bits, Swapped);
    if constexpr (Place.code == 'd') {
      return std::bit_cast<double>(bits);
    } else if constexpr (Place.code == 'f') {
      return std::bit_cast<float>(bits);
    } else if constexpr (Place.code == 'e') {
      return static_cast<float>(half_to_double(bits));
    } else if constexpr (Place.is_signed()) {
      return static_cast<std::make_signed_t<decltype(bits)>>(bits);
    } else {
      return bits;
    }
  }
}

// The type of a value in the result, as a std::type_identity.
template <FormatItem Place>
constexpr auto unpacked_type() {
  if constexpr (Place.code == 's') {
    return std::type_identity<FixedBytes<Place.count>>();
  } else {
    return std::type_identity<decltype(get_value<Place, false>(nullptr))>();
  }
}

template <FormatText F, class... Values>
constexpr void pack_at(std::byte* at, const Values&... values) {
  using Format = CompiledFormat<F>;
  static_assert(sizeof...(Values) == Format::kValues, "pack expected another number of items for packing");
  if constexpr (Format::kPadded) std::fill_n(at, Format::kSize, std::byte{0});
  if constexpr (sizeof...(Values) == Format::kValues) {
    [&]<std::size_t... I>(std::index_sequence<I...> /*all*/) {
      (put_value<Format::kPlaces[I], Format::kSummary.swapped>(at, values), ...);
    }
    (std::make_index_sequence<Format::kValues>{});
  }
}

template <FormatText F>
auto unpack_at(const std::byte* at) {
  using Format = CompiledFormat<F>;
  return [&]<std::size_t... I>(std::index_sequence<I...> /*all*/) {
    // In braces: from left to right.
    return std::tuple<typename decltype(unpacked_type<Format::kPlaces[I]>())::type...>{
        get_value<Format::kPlaces[I], Format::kSummary.swapped>(at)...};
  }
  (std::make_index_sequence<Format::kValues>{});
}

}  // namespace detail

// The size of a structure: calcsize<"<i3sf">() is 11.
template <FormatText F>
[[nodiscard]] consteval std::size_t calcsize() noexcept {
  return detail::CompiledFormat<F>::kSize;
}

template <FormatText F, class... Values>
[[nodiscard]] constexpr FixedBytes<detail::CompiledFormat<F>::kSize> pack(const Values&... values) {
  FixedBytes<detail::CompiledFormat<F>::kSize> packed;
  if constexpr (packed.size() == 0) *packed.data() = std::byte{0};
  detail::pack_at<F>(packed.data(), values...);
  return packed;
}

// Writes at offset, which counts from the buffer's end when it is negative; nothing when it throws.
template <FormatText F, class... Values>
void pack_into(std::span<std::byte> buffer, std::ptrdiff_t offset, const Values&... values) {
  constexpr std::size_t kSize = detail::CompiledFormat<F>::kSize;
  std::byte* at = buffer.data() + detail::place_to_pack(kSize, offset, buffer.size());
  if constexpr (sizeof...(Values) == detail::CompiledFormat<F>::kValues) {
    [&]<std::size_t... I>(std::index_sequence<I...> /*all*/) {
      (detail::check_value<detail::CompiledFormat<F>::kPlaces[I]>(values), ...);
    }
    (std::index_sequence_for<Values...>{});
  }
  detail::pack_at<F>(at, values...);
}

// bytes must be of exactly the format's size.
template <FormatText F>
[[nodiscard]] auto unpack(BytesView bytes) {
  if (bytes.size() != detail::CompiledFormat<F>::kSize) detail::refuse_unpack_size(detail::CompiledFormat<F>::kSize);
  return detail::unpack_at<F>(bytes.data());
}

// The structure that begins at offset, which counts from the end when it is negative.
template <FormatText F>
[[nodiscard]] auto unpack_from(BytesView buffer, std::ptrdiff_t offset = 0) {
  return detail::unpack_at<F>(buffer.data() +
                              detail::place_to_unpack(detail::CompiledFormat<F>::kSize, offset, buffer.size()));
}

// What iter_unpack gives.
template <FormatText F>
class UnpackRange {
 public:
  class iterator {
   public:
    using value_type = decltype(detail::unpack_at<F>(nullptr));
    using difference_type = std::ptrdiff_t;
    using iterator_concept = std::input_iterator_tag;

    iterator() = default;
    explicit iterator(const std::byte* at) noexcept : at_(at) {}
    value_type operator*() const { return detail::unpack_at<F>(at_); }
    iterator& operator++() noexcept {
      at_ += detail::CompiledFormat<F>::kSize;
      return *this;
    }
    void operator++(int) noexcept { ++*this; }
    friend bool operator==(const iterator& a, const iterator& b) noexcept = default;

   private:
    const std::byte* at_ = nullptr;
  };

  explicit UnpackRange(BytesView bytes) noexcept : bytes_(bytes) {}
  [[nodiscard]] iterator begin() const noexcept { return iterator(bytes_.data()); }
  [[nodiscard]] iterator end() const noexcept { return iterator(bytes_.data() + bytes_.size()); }

 private:
  BytesView bytes_;
};

// One structure behind the other, each unpacked when it is its turn; bytes must be of a multiple of the format's size.
// The range borrows them.
template <FormatText F>
[[nodiscard]] UnpackRange<F> iter_unpack(BytesView bytes) {
  constexpr std::size_t kSize = detail::CompiledFormat<F>::kSize;
  static_assert(kSize > 0, "cannot iteratively unpack with a struct of length 0");
  if constexpr (kSize > 0) {
    if (bytes.size() % kSize != 0) detail::refuse_iteration_size(kSize);
  }
  return UnpackRange<F>(bytes);
}

}  // namespace hawser
