// The values of a structure whose format is known only at run time.
//
// StructValue is what unpacking gives and owns its bytes. StructArgument is what packing takes: anything that converts
// to it; it borrows bytes until the call has ended. Texts of char are bytes; texts of char8_t are characters, which no
// format takes: encode them first (hawser/wire/text.h).
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <hawser/base/bytes.h>
#include <hawser/wire/struct_error.h>

namespace hawser {

class StructValue {
 public:
  explicit StructValue(bool value) noexcept : value_(value) {}
  explicit StructValue(std::int64_t value) noexcept : value_(value) {}
  explicit StructValue(std::uint64_t value) noexcept : value_(value) {}
  explicit StructValue(double value) noexcept : value_(value) {}
  explicit StructValue(std::string bytes) noexcept : value_(std::move(bytes)) {}

  [[nodiscard]] bool is_bool() const noexcept { return std::holds_alternative<bool>(value_); }
  [[nodiscard]] bool is_integer() const noexcept { return value_.index() == 1 || value_.index() == 2; }
  [[nodiscard]] bool is_real() const noexcept { return std::holds_alternative<double>(value_); }
  [[nodiscard]] bool is_bytes() const noexcept { return std::holds_alternative<std::string>(value_); }

  // Each throws StructError when the value is of another kind or does not fit.
  [[nodiscard]] bool as_bool() const;
  [[nodiscard]] std::int64_t as_int64() const;
  [[nodiscard]] std::uint64_t as_uint64() const;
  [[nodiscard]] double as_double() const;
  // The bytes, as long as this value lives.
  [[nodiscard]] const std::string& as_bytes() const;

  friend bool operator==(const StructValue& a, const StructValue& b) = default;

 private:
  friend class StructArgument;
  // int64_t from signed formats, uint64_t from the others.
  std::variant<bool, std::int64_t, std::uint64_t, double, std::string> value_;
};

class StructArgument {
 public:
  // An integer of any size, in decimal digits: what does not fit in 64 bits is refused by its format like any other
  // number out of range. Borrows the digits. Throws StructError when they are none.
  static StructArgument integer(std::string_view decimal);

  // NOLINTBEGIN(google-explicit-constructor): a list of values is written as it comes.
  StructArgument(std::nullptr_t) noexcept {}
  StructArgument(bool value) noexcept : kind_(Kind::boolean) { number_.whole = value ? 1 : 0; }
  StructArgument(char value) noexcept : kind_(Kind::character) { number_.whole = static_cast<unsigned char>(value); }
  template <std::signed_integral T>
  StructArgument(T value) noexcept : kind_(value < 0 ? Kind::negative : Kind::whole) {
    number_.whole = static_cast<std::uint64_t>(static_cast<std::int64_t>(value));
  }
  template <std::unsigned_integral T>
  StructArgument(T value) noexcept : kind_(Kind::whole) {
    number_.whole = value;
  }
  StructArgument(double value) noexcept : kind_(Kind::real) { number_.real = value; }
  StructArgument(float value) noexcept : StructArgument(static_cast<double>(value)) {}
  StructArgument(BytesView bytes) noexcept : kind_(Kind::bytes), text_(bytes.text()) {}
  StructArgument(std::string_view bytes) noexcept : kind_(Kind::bytes), text_(bytes) {}
  StructArgument(const std::string& bytes) noexcept : kind_(Kind::bytes), text_(bytes) {}
  StructArgument(const char* bytes) noexcept : kind_(Kind::bytes), text_(bytes) {}
  StructArgument(const Bytes& bytes) noexcept : kind_(Kind::bytes), text_(bytes.view()) {}
  StructArgument(std::u8string_view) noexcept : kind_(Kind::characters) {}
  StructArgument(const char8_t*) noexcept : kind_(Kind::characters) {}
  StructArgument(const StructValue& value) noexcept;
  // NOLINTEND(google-explicit-constructor)

  // What the letter of the format makes of it; each throws StructError when it does not take this.
  // The two's complement of an integer, or one byte, or a bool.
  [[nodiscard]] std::uint64_t integer_for(const FormatItem& item) const;
  [[nodiscard]] double real_for(const FormatItem& item) const;
  // It is a number, and too large for a real of that size.
  [[noreturn]] void refuse_as_real(const FormatItem& item) const;
  [[nodiscard]] std::string_view bytes_for(const FormatItem& item) const;
  [[nodiscard]] unsigned char char_for(const FormatItem& item) const;
  [[nodiscard]] bool truth() const noexcept;

 private:
  // vast: an integer beyond 64 bits, its digits in text_.
  enum class Kind : std::uint8_t { nothing, boolean, character, negative, whole, vast, real, bytes, characters };
  union Number {
    std::uint64_t whole = 0;
    double real;
  };

  Kind kind_ = Kind::nothing;
  Number number_;
  std::string_view text_;
};

}  // namespace hawser
