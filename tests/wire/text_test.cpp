// Text and its encodings. That mappings and errors are CPython's is seen by the vectors; here stand the words, the
// promises about pieces, and the ways to call.
#include <hawser/wire/text.h>

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>

namespace hawser {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kGreeting = "你好A世界€😀é龥";

std::string words_of(const auto& call) {
  try {
    call();
  } catch (const TextError& error) {
    return error.what();
  }
  return "no error";
}

TEST(text, goes_to_bytes_and_back) {
  for (const char* codec : {"utf-8", "gb18030", "utf-8-sig"})
    EXPECT_EQ(decode(encode(kGreeting, codec), codec), kGreeting);
  EXPECT_EQ(encode("黑马", "gbk"), "\xBA\xDA\xC2\xED");
  EXPECT_EQ(encode("黑马", "utf-8"), "黑马");
  EXPECT_EQ(encode("😀", "gb18030"), "\x94\x39\xFC\x36");
  EXPECT_EQ(decode(encode("~A黑马~", "hz"), "hz"), "~A黑马~");
  EXPECT_EQ(encode("~A黑马~", "hz"), "~~A~{:ZBm~}~~");
}

TEST(text, the_wrong_codec_shows_what_python_shows) {
  EXPECT_EQ(decode(encode("黑马aB1!"), "gbk"), "榛戦┈aB1!");
  EXPECT_EQ(decode(encode("黑马aB1!", "gbk"), "utf-8", OnError::replace), "\uFFFD\uFFFD\uFFFD\uFFFDaB1!");
}

TEST(text, gbk_has_no_euro_sign) {
  EXPECT_EQ(words_of([] { (void)encode("1€", "gbk"); }),
            "'gbk' codec can't encode character U+20AC in position 1: illegal multibyte sequence");
  EXPECT_EQ(words_of([] { (void)decode("\x80 ", "gbk"); }),
            "'gbk' codec can't decode byte 0x80 in position 0: illegal multibyte sequence");
  EXPECT_EQ(encode("1€", "gb18030"), "1\xA2\xE3");
}

TEST(text, errors_name_codec_bytes_position_and_reason) {
  EXPECT_EQ(words_of([] { (void)decode("ab\xE4\xB8"); }),
            "'utf-8' codec can't decode bytes 0xe4 0xb8 in position 2-3: unexpected end of data");
  EXPECT_EQ(words_of([] { (void)decode("a\xFF", "gbk"); }),
            "'gbk' codec can't decode byte 0xff in position 1: incomplete multibyte sequence");
  try {
    (void)decode("黑\xED\xA0\x80", "utf-8");
    FAIL();
  } catch (const DecodeError& error) {
    EXPECT_EQ(error.codec(), "utf-8");
    EXPECT_EQ(error.bytes(), "\xED");
    EXPECT_EQ(error.start(), 3U);
    EXPECT_EQ(error.end(), 4U);
    EXPECT_EQ(error.reason(), "invalid continuation byte");
  }
  try {
    (void)encode(std::u32string_view(U"黑\xD800\xDC00"));
    FAIL();
  } catch (const EncodeError& error) {
    EXPECT_EQ(error.character(), 0xD800U);
    EXPECT_EQ(error.start(), 1U) << "counted in characters";
    EXPECT_EQ(error.end(), 3U);
    EXPECT_EQ(error.reason(), "surrogates not allowed");
  }
}

TEST(text, a_text_that_is_not_utf8_is_refused_or_mended) {
  EXPECT_EQ(words_of([] { (void)encode("黑\xFFz", "gbk"); }),
            "'gbk' codec can't encode character U+00FF in position 1: the text is not UTF-8");
  EXPECT_EQ(encode("黑\xFFz", "gbk", OnError::replace), "\xBA\xDA?z");
  EXPECT_EQ(encode("黑\xFFz", "utf-8", OnError::backslashreplace), "黑\\xffz");
  EXPECT_EQ(encode("\xE4\xB8", "gb18030", OnError::ignore), "");
}

TEST(text, every_handler_does_what_it_says) {
  EXPECT_EQ(decode("a\x81\xFF"
                   "b",
                   "gbk", OnError::ignore),
            "ab");
  EXPECT_EQ(decode("a\x81\xFF"
                   "b",
                   "gbk", OnError::replace),
            "a\uFFFD\uFFFDb");
  EXPECT_EQ(decode("a\x81\xFF"
                   "b",
                   "gbk", OnError::backslashreplace),
            "a\\x81\\xffb");
  EXPECT_EQ(encode("a€b😀", "gbk", OnError::ignore), "ab");
  EXPECT_EQ(encode("a€b😀", "gbk", OnError::replace), "a?b?");
  EXPECT_EQ(encode("a€é😀", "ascii", OnError::backslashreplace), "a\\u20ac\\xe9\\U0001f600");
}

TEST(text, codecs_are_known_by_all_their_names) {
  EXPECT_EQ(Codec("CP936"), Codec("gbk"));
  EXPECT_EQ(Codec("UTF8").name(), "utf-8");
  EXPECT_EQ(Codec("Latin-1"), Codec("iso-8859-1"));
  // Those of CPython 3.11: encodings.aliases, and the modules themselves.
  const std::vector<std::pair<const char*, std::vector<const char*>>> all{
      {"utf-8", {"utf_8", "cp65001", "u8", "utf", "utf8", "utf8_ucs2", "utf8_ucs4"}},
      {"utf-8-sig", {"utf_8_sig"}},
      {"gbk", {"gbk", "936", "cp936", "ms936"}},
      {"gb18030", {"gb18030", "gb18030_2000"}},
      {"gb2312",
       {"gb2312", "chinese", "csiso58gb231280", "euc_cn", "euccn", "eucgb2312_cn", "gb2312_1980", "gb2312_80",
        "iso_ir_58", "x_mac_simp_chinese"}},
      {"hz", {"hz", "hz_gb", "hz_gb_2312", "hzgb"}},
      {"ascii",
       {"ascii", "646", "ansi_x3.4_1968", "ansi_x3.4_1986", "ansi_x3_4_1968", "cp367", "csascii", "ibm367", "iso646_us",
        "iso_646.irv_1991", "iso_ir_6", "us", "us_ascii"}},
      {"latin-1",
       {"latin_1", "8859", "cp819", "csisolatin1", "ibm819", "iso8859", "iso8859_1", "iso_8859_1", "iso_8859_1_1987",
        "iso_ir_100", "l1", "latin", "latin1"}},
  };
  for (const auto& [codec, names] : all) {
    for (const char* name : names) EXPECT_EQ(Codec(name).name(), codec) << name;
  }
}

TEST(text, what_stands_between_the_words_of_a_name_does_not_matter) {
  for (const char* name : {"utf 8", "UTF@8", "utf--8", " utf8", "utf8-", "_utf_8_", "utf-8\n"}) {
    EXPECT_EQ(Codec(name).name(), "utf-8") << name;
  }
  EXPECT_EQ(Codec("ISO_8859-1:1987").name(), "latin-1");
  EXPECT_EQ(Codec("ANSI X3.4-1968").name(), "ascii");
  for (const std::string_view name :
       {""sv, "-"sv, "no-such-codec"sv, "utf-16"sv, "g b k"sv, "gbk\0"sv, "gbk\xc3\xa9"sv}) {
    EXPECT_THROW(Codec{name}, UnknownCodec) << name;
  }
}

TEST(text, a_mark_that_is_cut_short_is_an_error_however_the_bytes_are_cut) {
  for (const std::string_view bytes : {"\xEF"sv, "\xEF\xBB"sv}) {
    const std::string words = words_of([&] { (void)decode(bytes, "utf-8-sig"); });
    EXPECT_TRUE(words.starts_with("'utf-8-sig' codec can't decode byte")) << words;
    TextDecoder decoder("utf-8-sig");
    EXPECT_EQ(decoder.decode(bytes), "");
    EXPECT_EQ(words_of([&] { (void)decoder.finish(); }), words);
    EXPECT_EQ(decode(bytes, "utf-8-sig", OnError::replace), "\uFFFD");
  }
}

TEST(text_decoder, pieces_give_what_the_whole_gives_at_every_split) {
  std::mt19937 random(11);
  for (const char* codec : {"utf-8", "gbk", "gb18030", "gb2312", "hz", "utf-8-sig"}) {
    for (int round = 0; round < 300; ++round) {
      std::string bytes = encode(kGreeting, codec, OnError::ignore).str();
      for (int damage = round % 4; damage > 0; --damage) bytes[random() % bytes.size()] = static_cast<char>(random());
      const std::string whole = decode(bytes, codec, OnError::backslashreplace);
      for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
        TextDecoder decoder(codec, OnError::backslashreplace);
        const std::string_view view = bytes;
        const std::string first = decoder.decode(view.substr(0, cut));
        ASSERT_LE(decoder.pending(), 3U);
        ASSERT_EQ(first + decoder.decode(view.substr(cut), true), whole) << codec << " cut at " << cut;
      }
      TextDecoder decoder(codec, OnError::backslashreplace);
      std::string text;
      for (const char byte : bytes) text += decoder.decode(std::string_view(&byte, 1));
      ASSERT_EQ(text + decoder.finish(), whole) << codec;
    }
  }
}

TEST(text_decoder, a_lone_lead_byte_at_the_end_is_incomplete_and_says_where) {
  TextDecoder decoder("gbk");
  EXPECT_EQ(decoder.decode("\xBA\xDA\xC2"), "黑");
  EXPECT_EQ(decoder.position(), 2U);
  EXPECT_EQ(decoder.pending(), 1U);
  EXPECT_EQ(words_of([&] { (void)decoder.finish(); }),
            "'gbk' codec can't decode byte 0xc2 in position 2: incomplete multibyte sequence");
  EXPECT_EQ(decoder.decode("\xED", true), "马") << "as it was before the call that threw";
}

TEST(text_decoder, positions_count_from_the_beginning_of_the_stream) {
  TextDecoder decoder;
  EXPECT_EQ(decoder.decode("0123456789"), "0123456789");
  EXPECT_EQ(words_of([&] { (void)decoder.decode("ab\xC0"); }),
            "'utf-8' codec can't decode byte 0xc0 in position 12: invalid start byte");
  decoder.reset();
  EXPECT_EQ(decoder.position(), 0U);
}

TEST(text_encoder, pieces_give_what_the_whole_gives_at_every_split) {
  for (const char* codec : {"utf-8", "gbk", "gb18030", "hz", "utf-8-sig", "ascii"}) {
    const Bytes whole = encode(kGreeting, codec, OnError::replace);
    for (std::size_t cut = 0; cut <= kGreeting.size(); ++cut) {
      TextEncoder encoder(codec, OnError::replace);
      const std::string first = encoder.encode(kGreeting.substr(0, cut)).str();
      ASSERT_EQ(first + encoder.encode(kGreeting.substr(cut), true).str(), whole.view()) << codec << " cut at " << cut;
      ASSERT_EQ(encoder.position(), 9U);
    }
  }
}

TEST(text_encoder, a_text_that_ends_inside_a_character_is_an_error_at_the_end_only) {
  TextEncoder encoder("gbk");
  EXPECT_EQ(encoder.encode("黑\xE9"), "\xBA\xDA");
  EXPECT_EQ(words_of([&] { (void)encoder.finish(); }),
            "'gbk' codec can't encode character U+00E9 in position 1: the text is not UTF-8");
}

TEST(text, texts_and_bytes_of_strangers_are_mended_in_bounded_memory) {
  std::mt19937 random(13);
  for (const char* codec : {"utf-8", "gbk", "gb18030", "gb2312", "hz", "utf-8-sig", "ascii", "latin-1"}) {
    for (int round = 0; round < 2000; ++round) {
      std::string noise(random() % 40, '\0');
      for (char& c : noise) c = static_cast<char>(random() % 4 == 0 ? random() % 128 : random());
      for (const OnError handler : {OnError::ignore, OnError::replace, OnError::backslashreplace}) {
        const std::string text = decode(noise, codec, handler);
        ASSERT_LE(text.size(), noise.size() * 4);
        ASSERT_NO_THROW((void)from_utf8(text)) << "what comes out is UTF-8 whatever went in";
        ASSERT_NO_THROW((void)decode(encode(noise, codec, handler), codec)) << "and what is encoded can be decoded";
      }
    }
  }
}

TEST(text, a_codec_may_be_used_for_the_first_time_on_a_fiber_and_by_many_threads) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      run([] {
        const auto task = spawn([] { EXPECT_EQ(decode(encode(kGreeting, "gb18030"), "gb18030"), kGreeting); });
        EXPECT_EQ(decode("\xBA\xDA", "gbk"), "黑");
        EXPECT_EQ(decode("~{:Z~}", "hz"), "黑");
        task.get();
      });
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(text, code_points_and_utf8_go_both_ways) {
  EXPECT_EQ(from_utf8("a黑😀"), U"a黑😀");
  EXPECT_EQ(to_utf8(U"a黑😀"), "a黑😀");
  EXPECT_THROW((void)from_utf8("\xED\xA0\x80"), DecodeError);
}

}  // namespace
}  // namespace hawser
