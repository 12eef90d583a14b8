// Structures whose format the compiler knows. What must not compile is in tests/wire/refused.
#include <hawser/wire/pack.h>

#include <gtest/gtest.h>

#include <concepts>
#include <cstdint>
#include <limits>
#include <random>
#include <ranges>
#include <string>
#include <utility>
#include <vector>

#include <hawser/wire/struct.h>

namespace hawser {
namespace {

using namespace std::string_view_literals;

std::string words_of(const auto& call) {
  try {
    call();
  } catch (const StructError& error) {
    return error.what();
  }
  return "no error";
}

TEST(pack, reads_as_simply_as_it_should) {
  auto bytes = pack<"<i3sf">(1, "abc", 2.7f);
  auto [number, text, real] = unpack<"<i3sf">(bytes);
  static_assert(std::same_as<decltype(number), std::int32_t>);
  static_assert(std::same_as<decltype(text), FixedBytes<3>>);
  static_assert(std::same_as<decltype(real), float>);
  EXPECT_EQ(number, 1);
  EXPECT_EQ(text, "abc");
  EXPECT_EQ(real, 2.7F);
}

TEST(pack, can_be_done_by_the_compiler) {
  static constexpr auto kHeader = pack<"!HB2sx?">(258, 3, "ab", true);
  static_assert(kHeader.size() == 7 && calcsize<"!HB2sx?">() == 7);
  static_assert(kHeader[0] == std::byte{1} && kHeader[1] == std::byte{2} && kHeader[6] == std::byte{1});
  EXPECT_EQ(kHeader, std::string_view("\1\2\3ab\0\1", 7));
}

TEST(pack, gives_the_bytes_of_the_run_time_form) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 500; ++i) {
    const auto bits = random();
    const auto a = static_cast<std::int8_t>(bits);
    const auto b = static_cast<std::uint16_t>(bits >> 8U);
    const auto c = static_cast<std::int32_t>(bits >> 16U);
    const auto d = static_cast<double>(static_cast<std::int64_t>(bits)) / 7;
    const std::string text(bits % 9, 'x');
#define SAME(format)                                                              \
  EXPECT_EQ(pack<format>(a, b, c, bits, d, text, text, 0.5F, bits % 2 == 0, 'c'), \
            Struct(format).pack(a, b, c, bits, d, text, text, 0.5F, bits % 2 == 0, 'c').view())
    SAME("bHiQd5s4pe?c");
    SAME("<bHiQd5s4pe?c");
    SAME(">bHiQd5s4pe?c");
    SAME("=bHiQ2xd5s4pe?c");
    SAME("! b H i Q d 5s 4p e ? c");
#undef SAME
  }
}

TEST(pack, unpacks_what_the_run_time_form_unpacks) {
  std::mt19937_64 random(5);
  for (int i = 0; i < 500; ++i) {
    std::string bytes(calcsize<"!hIqBd3s4p">(), '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    const auto [a, b, c, d, e, f, g] = unpack<"!hIqBd3s4p">(bytes);
    const auto values = Struct("!hIqBd3s4p").unpack(bytes);
    EXPECT_EQ(a, values[0].as_int64());
    EXPECT_EQ(b, values[1].as_uint64());
    EXPECT_EQ(c, values[2].as_int64());
    EXPECT_EQ(d, values[3].as_uint64());
    EXPECT_TRUE(e == values[4].as_double() || e != e);
    EXPECT_EQ(f, values[5].as_bytes());
    EXPECT_EQ(g, values[6].as_bytes());
  }
}

TEST(pack, a_count_stands_for_so_many_values) {
  const auto bytes = pack<"<3h0i2s">(1, -1, 2, "z");
  const auto [a, b, c, text] = unpack<"<3h0i2s">(bytes);
  EXPECT_EQ(a + b + c, 2);
  EXPECT_EQ(text, std::string_view("z\0", 2));
}

TEST(pack, refuses_a_number_beyond_the_format_whatever_its_type) {
  EXPECT_EQ(words_of([] { (void)pack<"i">(1LL << 31); }), "'i' format requires -2147483648 <= number <= 2147483647");
  EXPECT_EQ(words_of([] { (void)pack<"i">(3'000'000'000U); }),
            "'i' format requires -2147483648 <= number <= 2147483647");
  EXPECT_EQ(words_of([] { (void)pack<"B">(-1); }), "'B' format requires 0 <= number <= 255");
  EXPECT_EQ(words_of([] { (void)pack<"Q">(-1); }), "'Q' format requires 0 <= number <= 18446744073709551615");
  EXPECT_EQ(words_of([] { (void)pack<"f">(1e39); }), "float too large to pack with f format");
  EXPECT_EQ(words_of([] { (void)pack<"e">(65520.0); }), "float too large to pack with e format");
  EXPECT_EQ(words_of([] { (void)pack<"c">("ab"); }), "char format requires a bytes object of length 1");
  EXPECT_NO_THROW((void)pack<"f">(std::numeric_limits<double>::infinity()));
}

TEST(pack, refuses_a_real_that_would_become_infinite_also_from_a_wider_type) {
  static constexpr long double kVast = std::numeric_limits<long double>::max();
  EXPECT_EQ(words_of([] { (void)pack<"d">(kVast); }), "float too large to pack with d format");
  EXPECT_EQ(words_of([] { (void)pack<"f">(-kVast); }), "float too large to pack with f format");
  EXPECT_EQ(words_of([] { (void)pack<"e">(kVast); }), "float too large to pack with e format");
  EXPECT_THROW((void)pack<"f">(1e39L), StructOverflow);
  EXPECT_EQ(pack<"f">(0.5L), pack<"f">(0.5F));
  EXPECT_EQ(pack<"d">(-std::numeric_limits<long double>::infinity()),
            pack<"d">(-std::numeric_limits<double>::infinity()));
  EXPECT_EQ(pack<"e">(std::numeric_limits<long double>::infinity()), "\0\x7c"sv);
  EXPECT_NO_THROW((void)pack<"d">(std::numeric_limits<long double>::quiet_NaN()));
}

TEST(pack, an_integer_too_large_for_a_real_is_no_overflow_of_one) {
  try {
    (void)pack<"e">(70'000);
    FAIL();
  } catch (const StructOverflow& error) {
    FAIL() << error.what();
  } catch (const StructError& error) {
    EXPECT_STREQ(error.what(), "int too large to convert");
  }
  EXPECT_EQ(pack<"<e">(65504), pack<"<e">(65504.0));
  EXPECT_EQ(pack<"<f">(std::numeric_limits<std::uint64_t>::max()), pack<"<f">(0x1p64));
}

TEST(pack, knows_what_is_true_as_the_run_time_form_does) {
  const auto same = [](const auto& value, bool is_true) {
    EXPECT_EQ(pack<"?">(value), is_true ? "\1"sv : "\0"sv);
    EXPECT_EQ(Struct("?").pack(value), pack<"?">(value).view());
  };
  same("", false);
  same("x", true);
  same(""sv, false);
  same(std::string("x"), true);
  same(std::string(), false);
  same(Bytes("x"), true);
  same(BytesView(), false);
  same('\0', true);
  same(0.0, false);
  same(-0.5, true);
  same(0, false);
  same(1LL << 40, true);
  same(nullptr, false);
  static_assert(pack<"?">("")[0] == std::byte{0});
}

TEST(pack, takes_a_pointer_in_either_reading) {
  EXPECT_EQ(pack<"P">(-1), pack<"P">(std::numeric_limits<std::uintptr_t>::max()));
  EXPECT_EQ(pack<"P">(std::int8_t{-2}), Struct("P").pack(-2).view());
  int there = 0;
  EXPECT_EQ(pack<"P">(&there), pack<"P">(reinterpret_cast<std::intptr_t>(&there)));
  std::string room(sizeof(void*), '.');
  pack_into<"P">(std::as_writable_bytes(std::span(room)), 0, -1);
  EXPECT_EQ(room, std::string(sizeof(void*), '\xff'));
}

TEST(pack, wants_the_exact_number_of_bytes) {
  EXPECT_EQ(words_of([] { (void)unpack<"<i">("abc"); }), "unpack requires a buffer of 4 bytes");
  EXPECT_EQ(words_of([] { (void)unpack<"<i">("abcde"); }), "unpack requires a buffer of 4 bytes");
  const auto [last] = unpack_from<">H">(std::string_view("abc\1\2", 5), -2);
  EXPECT_EQ(last, 258);
  EXPECT_THROW((void)unpack_from<">H">("abc", 2), StructError);
}

TEST(pack, unpacks_one_behind_the_other) {
  std::vector<std::pair<int, std::string>> found;
  for (const auto [number, text] : iter_unpack<">h2s">(std::string_view("\0\1ab\xff\xffyz", 8))) {
    static_assert(std::same_as<decltype(number), const std::int16_t>);
    found.emplace_back(number, text.str());
  }
  EXPECT_EQ(found, (std::vector<std::pair<int, std::string>>{{1, "ab"}, {-1, "yz"}}));
  for (const auto& none : iter_unpack<"i">("")) FAIL() << std::get<0>(none);
  EXPECT_EQ(words_of([] { (void)iter_unpack<"i">("abcde"); }),
            "iterative unpacking requires a buffer of a multiple of 4 bytes");
  static_assert(std::ranges::input_range<UnpackRange<"i">>);
}

TEST(pack, writes_into_a_buffer_all_or_nothing) {
  std::string buffer = "........";
  pack_into<"!HB">(std::as_writable_bytes(std::span(buffer)), -3, 0x4142, 0x43);
  EXPECT_EQ(buffer, ".....ABC");
  EXPECT_THROW(pack_into<"!HB">(std::as_writable_bytes(std::span(buffer)), 0, 0x4142, 300), StructError);
  EXPECT_THROW(pack_into<"!HB">(std::as_writable_bytes(std::span(buffer)), 6, 1, 1), StructError);
  EXPECT_EQ(buffer, ".....ABC");
}

TEST(pack, an_empty_structure_is_no_bytes) {
  EXPECT_EQ(pack<"">().size(), 0U);
  EXPECT_EQ(std::tuple_size_v<decltype(unpack<"2x">("ab"))>, 0U);
}

TEST(pack, is_bytes_wherever_bytes_are_wanted) {
  const auto packed = pack<"2s">("hi");
  const BytesView view = packed;
  EXPECT_EQ(view.text(), "hi");
  EXPECT_EQ(Struct("2s").unpack(packed).at(0).as_bytes(), "hi");
}

}  // namespace
}  // namespace hawser
