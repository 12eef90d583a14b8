// What packing and unpacking binary structures throws.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string_view>

#include <hawser/wire/struct_format.h>

namespace hawser {

// A format that is none, a value that its letter does not take, or bytes of the wrong number. Python: struct.error.
class StructError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A real too large for the format's size. Python: OverflowError. An integer as large is a StructError, in Python, too.
class StructOverflow : public StructError {
 public:
  using StructError::StructError;
};

namespace detail {

// The words of each refusal, in one place for both kinds of format.
[[noreturn]] void refuse_format(std::string_view format, FormatFault fault, std::size_t position);
[[noreturn]] void refuse_range(const FormatItem& item);
[[noreturn]] void refuse_real(const FormatItem& item);
[[noreturn]] void refuse_integer_as_real();
[[noreturn]] void refuse_char();
[[noreturn]] void refuse_unpack_size(std::size_t wanted);
[[noreturn]] void refuse_iteration_size(std::size_t wanted);
// Where `size` bytes lie that begin at offset, which counts from the end when it is negative.
[[nodiscard]] std::size_t place_to_pack(std::size_t size, std::ptrdiff_t offset, std::size_t buffer);
[[nodiscard]] std::size_t place_to_unpack(std::size_t size, std::ptrdiff_t offset, std::size_t buffer);

}  // namespace detail

}  // namespace hawser
