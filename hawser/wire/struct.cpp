#include <hawser/wire/struct.h>

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include <hawser/wire/half.h>

namespace hawser {

namespace {

template <class T>
void put(std::byte* at, T value) {
  std::memcpy(at, &value, sizeof value);
}

void put_bits(std::byte* at, std::uint64_t bits, std::size_t size, bool swapped) {
  switch (size) {
    case 1:
      return put(at, static_cast<std::uint8_t>(bits));
    case 2:
      return put(at, swapped ? __builtin_bswap16(static_cast<std::uint16_t>(bits)) : static_cast<std::uint16_t>(bits));
    case 4:
      return put(at, swapped ? __builtin_bswap32(static_cast<std::uint32_t>(bits)) : static_cast<std::uint32_t>(bits));
    default:
      return put(at, swapped ? __builtin_bswap64(bits) : bits);
  }
}

template <class T>
T get(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

std::uint64_t get_bits(const std::byte* at, std::size_t size, bool swapped) {
  switch (size) {
    case 1:
      return get<std::uint8_t>(at);
    case 2: {
      const auto bits = get<std::uint16_t>(at);
      return swapped ? __builtin_bswap16(bits) : bits;
    }
    case 4: {
      const auto bits = get<std::uint32_t>(at);
      return swapped ? __builtin_bswap32(bits) : bits;
    }
    default: {
      const auto bits = get<std::uint64_t>(at);
      return swapped ? __builtin_bswap64(bits) : bits;
    }
  }
}

// What a value of one fixed size looks like in memory. Throws StructError when the letter does not take it.
std::uint64_t bits_of(const FormatItem& item, const StructArgument& value) {
  switch (item.code) {
    case 'c':
      return value.char_for(item);
    case '?':
      return value.truth() ? 1 : 0;
    case 'd':
      return std::bit_cast<std::uint64_t>(value.real_for(item));
    case 'f':
      return std::bit_cast<std::uint32_t>(static_cast<float>(value.real_for(item)));
    case 'e': {
      const auto half = half_from(value.real_for(item));
      if (!half) value.refuse_as_real(item);
      return *half;
    }
    default:
      return value.integer_for(item);
  }
}

void put_bytes(std::byte* at, const FormatItem& item, std::string_view bytes) {
  std::memset(at, 0, item.count);
  if (item.count == 0) return;
  const std::size_t head = item.code == 'p' ? 1 : 0;
  const std::size_t length = std::min(bytes.size(), item.count - head);
  if (head != 0) *at = static_cast<std::byte>(std::min<std::size_t>(length, 255));
  if (length > 0) std::memcpy(at + head, bytes.data(), length);
}

std::string get_bytes(const std::byte* at, const FormatItem& item) {
  const auto* text = reinterpret_cast<const char*>(at);
  if (item.code == 's') return {text, item.count};
  if (item.count == 0) return {};
  return {text + 1, std::min(std::to_integer<std::size_t>(*at), item.count - 1)};
}

StructValue value_of(const FormatItem& item, std::uint64_t bits) {
  switch (item.code) {
    case 'c':
      return StructValue(std::string(1, static_cast<char>(bits)));
    case '?':
      return StructValue(bits != 0);
    case 'd':
      return StructValue(std::bit_cast<double>(bits));
    case 'f':
      return StructValue(static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits))));
    case 'e':
      return StructValue(half_to_double(static_cast<std::uint16_t>(bits)));
    default:
      break;
  }
  if (!item.is_signed()) return StructValue(bits);
  // The sign goes up to the top.
  const auto unused = static_cast<unsigned>(64 - 8 * item.size);
  return StructValue(static_cast<std::int64_t>(bits << unused) >> unused);
}

}  // namespace

Struct::Struct(std::string_view format) : format_(format) {
  FormatReader reader(format_);
  FormatItem item;
  while (reader.next(item)) {
    items_.push_back(item);
    values_ += item.values();
  }
  if (reader.fault() != FormatFault::none) detail::refuse_format(format_, reader.fault(), reader.position());
  size_ = reader.size();
  swapped_ = reader.swapped();
}

void Struct::check(std::span<const StructArgument> values, std::string_view operation) const {
  if (values.size() != values_) {
    throw StructError(fmt::format("{} expected {} items for packing (got {})", operation, values_, values.size()));
  }
  const StructArgument* value = values.data();
  for (const FormatItem& item : items_) {
    for (std::size_t i = 0; i < item.values(); ++i, ++value) {
      if (item.is_bytes()) {
        (void)value->bytes_for(item);
      } else {
        (void)bits_of(item, *value);
      }
    }
  }
}

// The values have passed check(), and there is room.
void Struct::write(std::byte* at, std::span<const StructArgument> values) const {
  if (size_ == 0) return;  // and there may be no memory at all
  const StructArgument* value = values.data();
  std::size_t done = 0;
  for (const FormatItem& item : items_) {
    std::memset(at + done, 0, item.offset - done);
    done = item.offset + item.count * item.size;
    if (item.is_bytes()) {
      put_bytes(at + item.offset, item, (value++)->bytes_for(item));
    } else if (item.code == 'x') {
      std::memset(at + item.offset, 0, item.count);
    } else {
      for (std::size_t i = 0; i < item.count; ++i, ++value) {
        put_bits(at + item.offset + i * item.size, bits_of(item, *value), item.size, swapped_);
      }
    }
  }
}

std::vector<StructValue> Struct::read(const std::byte* at) const {
  std::vector<StructValue> values;
  values.reserve(values_);
  for (const FormatItem& item : items_) {
    if (item.is_bytes()) {
      values.emplace_back(get_bytes(at + item.offset, item));
    } else if (item.code != 'x') {
      for (std::size_t i = 0; i < item.count; ++i) {
        values.push_back(value_of(item, get_bits(at + item.offset + i * item.size, item.size, swapped_)));
      }
    }
  }
  return values;
}

Bytes Struct::pack_values(std::span<const StructArgument> values) const {
  check(values, "pack");
  Bytes bytes = Bytes::uninitialised(size_);
  write(bytes.data(), values);
  return bytes;
}

void Struct::pack_values_into(std::span<std::byte> buffer, std::ptrdiff_t offset,
                              std::span<const StructArgument> values) const {
  if (values.size() != values_) check(values, "pack_into");
  const std::size_t start = detail::place_to_pack(size_, offset, buffer.size());
  check(values, "pack_into");
  write(buffer.data() + start, values);
}

std::vector<StructValue> Struct::unpack(BytesView bytes) const {
  if (bytes.size() != size_) detail::refuse_unpack_size(size_);
  return read(bytes.data());
}

std::vector<StructValue> Struct::unpack_from(BytesView buffer, std::ptrdiff_t offset) const {
  return read(buffer.data() + detail::place_to_unpack(size_, offset, buffer.size()));
}

StructRange Struct::iter_unpack(BytesView bytes) const {
  if (size_ == 0) throw StructError("cannot iteratively unpack with a struct of length 0");
  if (bytes.size() % size_ != 0) detail::refuse_iteration_size(size_);
  return {*this, bytes};
}

}  // namespace hawser
