#include <hawser/wire/struct_value.h>

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>

namespace hawser {

namespace {

[[noreturn]] void not_a(std::string_view kind) { throw StructError(fmt::format("the value is not {}", kind)); }

bool read_whole(std::string_view text, auto& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

bool StructValue::as_bool() const {
  if (const bool* value = std::get_if<bool>(&value_)) return *value;
  not_a("a bool");
}

std::int64_t StructValue::as_int64() const {
  if (const auto* value = std::get_if<std::int64_t>(&value_)) return *value;
  const auto* value = std::get_if<std::uint64_t>(&value_);
  if (value == nullptr) not_a("an integer");
  if (*value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    throw StructError(fmt::format("{} does not fit in a signed integer of 64 bits", *value));
  }
  return static_cast<std::int64_t>(*value);
}

std::uint64_t StructValue::as_uint64() const {
  if (const auto* value = std::get_if<std::uint64_t>(&value_)) return *value;
  const auto* value = std::get_if<std::int64_t>(&value_);
  if (value == nullptr) not_a("an integer");
  if (*value < 0) throw StructError(fmt::format("{} does not fit in an unsigned integer", *value));
  return static_cast<std::uint64_t>(*value);
}

double StructValue::as_double() const {
  if (const double* value = std::get_if<double>(&value_)) return *value;
  not_a("a real");
}

const std::string& StructValue::as_bytes() const {
  if (const auto* value = std::get_if<std::string>(&value_)) return *value;
  not_a("bytes");
}

StructArgument StructArgument::integer(std::string_view decimal) {
  if (std::int64_t value = 0; read_whole(decimal, value)) return {value};
  if (std::uint64_t value = 0; read_whole(decimal, value)) return {value};
  const std::string_view digits = decimal.substr(decimal.starts_with('-') ? 1 : 0);
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos) {
    throw StructError(fmt::format("not an integer: {}", decimal.substr(0, 40)));
  }
  StructArgument made(nullptr);
  made.kind_ = Kind::vast;
  made.text_ = decimal;
  return made;
}

StructArgument::StructArgument(const StructValue& value) noexcept : StructArgument(nullptr) {
  if (const bool* truth = std::get_if<bool>(&value.value_)) {
    *this = StructArgument(*truth);
  } else if (const auto* number = std::get_if<std::int64_t>(&value.value_)) {
    *this = StructArgument(*number);
  } else if (const auto* whole = std::get_if<std::uint64_t>(&value.value_)) {
    *this = StructArgument(*whole);
  } else if (const double* real = std::get_if<double>(&value.value_)) {
    *this = StructArgument(*real);
  } else if (const auto* bytes = std::get_if<std::string>(&value.value_)) {
    *this = StructArgument(*bytes);
  }
}

std::uint64_t StructArgument::integer_for(const FormatItem& item) const {
  switch (kind_) {
    case Kind::negative:
      // A pointer is taken in either reading.
      if (item.code != 'P' && static_cast<std::int64_t>(number_.whole) < item.least()) detail::refuse_range(item);
      return number_.whole;
    case Kind::boolean:
    case Kind::whole:
      if (number_.whole > item.greatest()) detail::refuse_range(item);
      return number_.whole;
    case Kind::vast:
      detail::refuse_range(item);
    default:
      throw StructError("required argument is not an integer");
  }
}

double StructArgument::real_for(const FormatItem& item) const {
  double value = 0;
  switch (kind_) {
    case Kind::negative:
      value = static_cast<double>(static_cast<std::int64_t>(number_.whole));
      break;
    case Kind::boolean:
    case Kind::whole:
      value = static_cast<double>(number_.whole);
      break;
    case Kind::vast:
      value = std::strtod(std::string(text_).c_str(), nullptr);
      if (std::isinf(value)) throw StructError("required argument is not a float: the integer is too large");
      break;
    case Kind::real:
      value = number_.real;
      break;
    default:
      throw StructError("required argument is not a float");
  }
  if (item.code == 'f' && std::isinf(static_cast<float>(value)) && !std::isinf(value)) refuse_as_real(item);
  return value;
}

void StructArgument::refuse_as_real(const FormatItem& item) const {
  if (kind_ == Kind::real) detail::refuse_real(item);
  detail::refuse_integer_as_real();
}

std::string_view StructArgument::bytes_for(const FormatItem& item) const {
  if (kind_ != Kind::bytes) {
    throw StructError(fmt::format("argument for '{}' must be a bytes object", item.code));
  }
  return text_;
}

unsigned char StructArgument::char_for(const FormatItem& /*item*/) const {
  if (kind_ == Kind::character) return static_cast<unsigned char>(number_.whole);
  if (kind_ != Kind::bytes || text_.size() != 1) detail::refuse_char();
  return static_cast<unsigned char>(text_.front());
}

bool StructArgument::truth() const noexcept {
  switch (kind_) {
    case Kind::nothing:
      return false;
    case Kind::real:
      return number_.real != 0;
    case Kind::bytes:
      return !text_.empty();
    case Kind::vast:
    case Kind::character:
    case Kind::characters:
      return true;
    default:
      return number_.whole != 0;
  }
}

}  // namespace hawser
