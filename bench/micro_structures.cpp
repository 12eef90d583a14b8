// Packing and unpacking structures: by a format that the compiler knows, by one that is known when it runs, and by
// hand.
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include <hawser/wire/fixed_bytes.h>
#include <hawser/wire/pack.h>
#include <hawser/wire/struct.h>

#include "micro.h"
#include "stopwatch.h"

using namespace hawser;

namespace {

// What an optimiser must take for read, and for written. What is made is new in each round, as it is in a program: it
// is built where it is to be, not copied there.
void known(const void* memory) { asm volatile("" : : "r"(memory) : "memory"); }

template <class Body>
void measure(const char* group, const char* what, long full, Body&& body) {
  const long count = steps(full);
  const Stopwatch watch;
  for (long i = 0; i < count; ++i) body();
  watch.report(group, what, count);
}

// The value of three kinds, <i3sf: packed without gaps, in the order of the least byte first.
struct Mixed {
  std::int32_t number = -7;
  FixedBytes<3> text;
  float real = 2.75F;
};

void mixed() {
  constexpr const char* kPacked = "struct <i3sf, packed";
  constexpr const char* kUnpacked = "struct <i3sf, unpacked";
  constexpr long kCount = 100'000'000;
  Mixed values;
  std::memcpy(values.text.data(), "abc", 3);
  const auto bytes = pack<"<i3sf">(values.number, values.text, values.real);

  measure(kPacked, "memcpy by hand (limit)", kCount, [&] {
    known(&values);
    alignas(16) FixedBytes<11> packed;
    std::memcpy(packed.data(), &values.number, 4);
    std::memcpy(packed.data() + 4, values.text.data(), 3);
    std::memcpy(packed.data() + 7, &values.real, 4);
    known(&packed);
  });
  measure(kPacked, "hawser pack", kCount, [&] {
    known(&values);
    alignas(16) const auto packed = pack<"<i3sf">(values.number, values.text, values.real);
    known(&packed);
  });
  const Struct format("<i3sf");
  measure(kPacked, "hawser Struct.pack_into", kCount / 10, [&] {
    known(&values);
    alignas(16) FixedBytes<11> packed;
    format.pack_into({packed.data(), packed.size()}, 0, values.number, values.text, values.real);
    known(&packed);
  });

  measure(kUnpacked, "memcpy by hand (limit)", kCount, [&] {
    known(&bytes);
    alignas(16) Mixed unpacked;
    std::memcpy(&unpacked.number, bytes.data(), 4);
    std::memcpy(unpacked.text.data(), bytes.data() + 4, 3);
    std::memcpy(&unpacked.real, bytes.data() + 7, 4);
    known(&unpacked);
  });
  measure(kUnpacked, "hawser unpack", kCount, [&] {
    known(&bytes);
    const auto [number, text, real] = unpack<"<i3sf">(bytes);
    alignas(16) const Mixed unpacked{number, text, real};
    known(&unpacked);
  });
  measure(kUnpacked, "hawser Struct.unpack", kCount / 10, [&] {
    known(&bytes);
    const auto unpacked = format.unpack(bytes);
    known(unpacked.data());
  });
  const auto [number, text, real] = unpack<"<i3sf">(bytes);
  if (number != -7 || text != "abc" || real != 2.75F) std::abort();
}

// Whole numbers in network order, >IHHQ, as headers of protocols have them.
struct Header {
  std::uint32_t size = 1024;
  std::uint16_t kind = 7;
  std::uint16_t flags = 0x8001;
  std::uint64_t number = 1'234'567'890'123;
};

void header() {
  constexpr const char* kPacked = "struct >IHHQ, packed";
  constexpr const char* kUnpacked = "struct >IHHQ, unpacked";
  constexpr long kCount = 100'000'000;
  Header values;
  const auto bytes = pack<">IHHQ">(values.size, values.kind, values.flags, values.number);

  measure(kPacked, "memcpy by hand (limit)", kCount, [&] {
    known(&values);
    const std::uint32_t size = __builtin_bswap32(values.size);
    const std::uint16_t kind = __builtin_bswap16(values.kind), flags = __builtin_bswap16(values.flags);
    const std::uint64_t number = __builtin_bswap64(values.number);
    alignas(16) FixedBytes<16> packed;
    std::memcpy(packed.data(), &size, 4);
    std::memcpy(packed.data() + 4, &kind, 2);
    std::memcpy(packed.data() + 6, &flags, 2);
    std::memcpy(packed.data() + 8, &number, 8);
    known(&packed);
  });
  measure(kPacked, "hawser pack", kCount, [&] {
    known(&values);
    alignas(16) const auto packed = pack<">IHHQ">(values.size, values.kind, values.flags, values.number);
    known(&packed);
  });

  measure(kUnpacked, "memcpy by hand (limit)", kCount, [&] {
    known(&bytes);
    alignas(16) Header unpacked;
    std::memcpy(&unpacked.size, bytes.data(), 4);
    std::memcpy(&unpacked.kind, bytes.data() + 4, 2);
    std::memcpy(&unpacked.flags, bytes.data() + 6, 2);
    std::memcpy(&unpacked.number, bytes.data() + 8, 8);
    unpacked.size = __builtin_bswap32(unpacked.size);
    unpacked.kind = __builtin_bswap16(unpacked.kind);
    unpacked.flags = __builtin_bswap16(unpacked.flags);
    unpacked.number = __builtin_bswap64(unpacked.number);
    known(&unpacked);
  });
  measure(kUnpacked, "hawser unpack", kCount, [&] {
    known(&bytes);
    const auto [size, kind, flags, number] = unpack<">IHHQ">(bytes);
    alignas(16) const Header unpacked{size, kind, flags, number};
    known(&unpacked);
  });
  const auto [size, kind, flags, number] = unpack<">IHHQ">(bytes);
  if (size != 1024 || kind != 7 || flags != 0x8001 || number != 1'234'567'890'123) std::abort();
}

}  // namespace

void measure_structures() {
  mixed();
  header();
}
