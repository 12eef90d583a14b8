#include <hawser/wire/struct_error.h>

#include <fmt/format.h>

#include <limits>
#include <string>

namespace hawser::detail {

namespace {

// The start of an error about an offset, or nothing when the bytes lie inside.
std::size_t place(std::size_t size, std::ptrdiff_t offset, std::size_t buffer, bool packing) {
  if (offset < 0) {
    // As unsigned: the least number has no positive twin.
    const std::size_t from_end = std::size_t{0} - static_cast<std::size_t>(offset);
    if (from_end <= buffer && size <= from_end) return buffer - from_end;
    if (size > from_end) {
      throw StructError(packing ? fmt::format("no space to pack {} bytes at offset {}", size, offset)
                                : fmt::format("not enough data to unpack {} bytes at offset {}", size, offset));
    }
    throw StructError(fmt::format("offset {} out of range for {}-byte buffer", offset, buffer));
  }
  const auto start = static_cast<std::size_t>(offset);
  if (start <= buffer && size <= buffer - start) return start;
  throw StructError(fmt::format(
      "{} requires a buffer of at least {} bytes for {} {} bytes at offset {} (actual buffer size is {})",
      packing ? "pack_into" : "unpack_from", start + size, packing ? "packing" : "unpacking", size, offset, buffer));
}

}  // namespace

void refuse_format(std::string_view format, FormatFault fault, std::size_t position) {
  switch (fault) {
    case FormatFault::no_letter:
      throw StructError("repeat count given without format specifier");
    case FormatFault::too_long:
      throw StructError("total struct size too long");
    case FormatFault::bad_char:
    case FormatFault::none:
      break;
  }
  const auto found = static_cast<unsigned char>(format[position]);
  const bool printable = found >= ' ' && found < 0x7F;
  throw StructError(fmt::format("bad char in struct format: {} at position {}",
                                printable ? fmt::format("'{}'", format[position]) : fmt::format("0x{:02x}", found),
                                position));
}

void refuse_range(const FormatItem& item) {
  throw StructError(fmt::format("'{}' format requires {} <= number <= {}", item.code,
                                item.code == 'P' ? std::numeric_limits<std::int64_t>::min() : item.least(),
                                item.greatest()));
}

void refuse_real(const FormatItem& item) {
  throw StructOverflow(fmt::format("float too large to pack with {} format", item.code));
}

void refuse_integer_as_real() { throw StructError("int too large to convert"); }

void refuse_char() { throw StructError("char format requires a bytes object of length 1"); }

void refuse_unpack_size(std::size_t wanted) {
  throw StructError(fmt::format("unpack requires a buffer of {} bytes", wanted));
}

void refuse_iteration_size(std::size_t wanted) {
  throw StructError(fmt::format("iterative unpacking requires a buffer of a multiple of {} bytes", wanted));
}

std::size_t place_to_pack(std::size_t size, std::ptrdiff_t offset, std::size_t buffer) {
  return place(size, offset, buffer, true);
}

std::size_t place_to_unpack(std::size_t size, std::ptrdiff_t offset, std::size_t buffer) {
  return place(size, offset, buffer, false);
}

}  // namespace hawser::detail
