// Structures whose format is known only at run time. That all bytes and rejections are Python's is seen by the vectors;
// here stand the words, the promises beyond Python and the types.
#include <hawser/wire/struct.h>

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <hawser/wire/half.h>

namespace hawser {
namespace {

std::string words_of(const auto& call) {
  try {
    call();
  } catch (const StructError& error) {
    return error.what();
  }
  return "no error";
}

TEST(a_struct, packs_and_unpacks_by_a_format_of_run_time) {
  const Struct header("<i3sf");
  EXPECT_EQ(header.size(), 11U);
  EXPECT_EQ(header.values(), 3U);
  const Bytes bytes = header.pack(1, "abc", 2.5F);
  EXPECT_EQ(bytes, std::string_view("\1\0\0\0abc\0\0\x20\x40", 11));
  const std::vector<StructValue> values = header.unpack(bytes);
  ASSERT_EQ(values.size(), 3U);
  EXPECT_EQ(values[0].as_int64(), 1);
  EXPECT_EQ(values[1].as_bytes(), "abc");
  EXPECT_EQ(values[2].as_double(), 2.5);
}

TEST(a_struct, unpacked_values_are_packed_again_as_they_are) {
  const Struct all("@cb?hHiIlLqQnNPefd4s5p");
  std::string bytes(all.size(), '\0');
  all.pack_into(std::as_writable_bytes(std::span(bytes)), 0, 'x', -1, true, -2, 2U, -3, 3U, -4L, 4UL, -5LL, 5ULL, -6,
                6U, 7U, 0.5, -0.25F, 1e300, "four", "five");
  const std::vector<StructValue> values = all.unpack(bytes);
  EXPECT_EQ(all.pack_values(std::vector<StructArgument>(values.begin(), values.end())).view(), bytes);
}

TEST(a_struct, lays_out_natively_as_the_compiler_does) {
  struct Native {
    char a;
    double b;
    short c;
    long d;
    char e;
    int f;
  };
  EXPECT_EQ(calcsize("cdhlci"), sizeof(Native));
  EXPECT_EQ(calcsize("cdhlc0d"), offsetof(Native, f) + 4) << "no padding at the end but what a count of 0 asks for";
  EXPECT_EQ(calcsize("=cdhlci"), 1 + 8 + 2 + 4 + 1 + 4U);
}

TEST(a_struct, says_which_numbers_a_format_takes) {
  EXPECT_EQ(words_of([] { (void)Struct("i").pack(1LL << 31); }),
            "'i' format requires -2147483648 <= number <= 2147483647");
  EXPECT_EQ(words_of([] { (void)Struct(">H").pack(-1); }), "'H' format requires 0 <= number <= 65535");
  EXPECT_EQ(words_of([] { (void)Struct("Q").pack(StructArgument::integer("18446744073709551616")); }),
            "'Q' format requires 0 <= number <= 18446744073709551615");
  EXPECT_EQ(words_of([] { (void)Struct("q").pack(std::numeric_limits<std::uint64_t>::max()); }),
            "'q' format requires -9223372036854775808 <= number <= 9223372036854775807");
  EXPECT_EQ(words_of([] { (void)Struct("h").pack("1"); }), "required argument is not an integer");
  EXPECT_EQ(words_of([] { (void)Struct("f").pack(nullptr); }), "required argument is not a float");
  EXPECT_EQ(words_of([] { (void)Struct("4s").pack(u8"黑马"); }), "argument for 's' must be a bytes object");
  EXPECT_EQ(words_of([] { (void)Struct("c").pack("ab"); }), "char format requires a bytes object of length 1");
}

TEST(a_struct, says_what_is_wrong_with_a_format_and_where) {
  EXPECT_EQ(words_of([] { Struct("i7z"); }), "bad char in struct format: 'z' at position 2");
  EXPECT_EQ(words_of([] { Struct("<n"); }), "bad char in struct format: 'n' at position 1");
  EXPECT_EQ(words_of([] { Struct(std::string_view("i\0", 2)); }), "bad char in struct format: 0x00 at position 1");
  EXPECT_EQ(words_of([] { Struct("i 3"); }), "repeat count given without format specifier");
  EXPECT_EQ(words_of([] { Struct("99999999999999999999x"); }), "total struct size too long");
  EXPECT_EQ(words_of([] { Struct("9223372036854775807x i"); }), "total struct size too long");
}

TEST(a_struct, says_which_sizes_it_wants) {
  const Struct pair("<hh");
  EXPECT_EQ(words_of([&] { (void)pair.pack(1); }), "pack expected 2 items for packing (got 1)");
  EXPECT_EQ(words_of([&] { (void)pair.unpack("abc"); }), "unpack requires a buffer of 4 bytes");
  EXPECT_EQ(
      words_of([&] { (void)pair.unpack_from("abcd", 1); }),
      "unpack_from requires a buffer of at least 5 bytes for unpacking 4 bytes at offset 1 (actual buffer size is 4)");
  EXPECT_EQ(words_of([&] { (void)pair.unpack_from("abcd", -2); }), "not enough data to unpack 4 bytes at offset -2");
  EXPECT_EQ(words_of([&] { (void)pair.unpack_from("abcd", -5); }), "offset -5 out of range for 4-byte buffer");
  EXPECT_EQ(words_of([&] { (void)pair.unpack_from("abcd", std::numeric_limits<std::ptrdiff_t>::min()); }),
            "offset -9223372036854775808 out of range for 4-byte buffer");
  EXPECT_EQ(words_of([&] { (void)pair.iter_unpack("abcde"); }),
            "iterative unpacking requires a buffer of a multiple of 4 bytes");
}

TEST(a_struct, writes_nothing_when_one_of_the_values_is_refused) {
  std::string buffer = "untouched";
  EXPECT_THROW(Struct("<bbb").pack_into(std::as_writable_bytes(std::span(buffer)), 0, 1, 2, 300), StructError);
  EXPECT_EQ(buffer, "untouched");
}

TEST(a_struct, refuses_a_real_that_overflows_in_every_order) {
  for (const char* format : {"f", "@f", "=f", "<f", ">f", "!f", "e", ">e"}) {
    EXPECT_THROW((void)Struct(format).pack(1e39), StructOverflow) << format;
    EXPECT_NO_THROW((void)Struct(format).pack(std::numeric_limits<double>::infinity())) << format;
  }
}

TEST(a_struct, an_integer_too_large_for_a_real_is_no_overflow_of_one) {
  for (const char* format : {"e", "<e", ">f", "d"}) {
    const std::string digits =
        std::string(format).back() == 'd' ? "1" + std::string(400, '0') : "1" + std::string(39, '0');
    try {
      (void)Struct(format).pack(StructArgument::integer(digits));
      FAIL() << format;
    } catch (const StructOverflow& error) {
      FAIL() << error.what();
    } catch (const StructError&) {
    }
  }
  EXPECT_EQ(words_of([] { (void)Struct("e").pack(70'000); }), "int too large to convert");
  EXPECT_EQ(words_of([] { (void)Struct("!e").pack(-70'000); }), "int too large to convert");
  EXPECT_EQ(words_of([] { (void)Struct("e").pack(70'000.0); }), "float too large to pack with e format");
}

TEST(a_struct, unpacks_one_behind_the_other) {
  std::vector<std::int64_t> found;
  const Struct pair(">h");
  for (const std::vector<StructValue>& values : pair.iter_unpack(std::string_view("\0\1\0\2\xff\xff", 6))) {
    found.push_back(values.at(0).as_int64());
  }
  EXPECT_EQ(found, (std::vector<std::int64_t>{1, 2, -1}));
}

TEST(a_struct, values_are_given_only_as_what_they_are) {
  const auto values = Struct("<Qq?d1s").unpack(Struct("<Qq?d1s").pack(~0ULL, -1, true, 0.5, "s"));
  EXPECT_THROW((void)values[0].as_int64(), StructError);
  EXPECT_THROW((void)values[1].as_uint64(), StructError);
  EXPECT_THROW((void)values[2].as_int64(), StructError);
  EXPECT_THROW((void)values[3].as_bytes(), StructError);
  EXPECT_THROW((void)values[4].as_double(), StructError);
  EXPECT_TRUE(values[2].as_bool());
}

TEST(a_half, every_one_of_the_65536_survives_and_the_nearest_is_taken) {
  for (unsigned bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const double value = half_to_double(half);
    if (std::isnan(value)) continue;
    ASSERT_EQ(half_from(value), half);
    if (std::isinf(value) || (bits & 0x7FFFU) == 0x7BFFU) continue;
    // Half way to the next one: to the even of the two; a little more or less decides.
    const double next = half_to_double(static_cast<std::uint16_t>(half + 1));
    const double middle = (value + next) / 2;
    ASSERT_EQ(half_from(middle), (bits & 1U) == 0 ? half : half + 1) << bits;
    ASSERT_EQ(half_from(std::nextafter(middle, value)), half) << bits;
    ASSERT_EQ(half_from(std::nextafter(middle, next)), half + 1) << bits;
  }
  EXPECT_EQ(half_from(65519.999), 0x7BFF);
  EXPECT_EQ(half_from(65520.0), std::nullopt);
}

}  // namespace
}  // namespace hawser
