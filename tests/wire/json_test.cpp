#include <hawser/wire/json.h>

#include <cmath>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>

namespace hawser {
namespace {

using Fault = JsonSyntaxError::Fault;

Fault fault_of(std::string_view text, JsonLimits limits = {}) {
  try {
    const Json value = Json::parse(text, limits);
    ADD_FAILURE() << "accepted: " << text << " as " << value.dump();
  } catch (const JsonSyntaxError& error) {
    return error.fault();
  }
  return Fault::not_json;
}

std::string message_of(const auto& call) {
  try {
    call();
  } catch (const JsonError& error) {
    return error.what();
  }
  return "no error";
}

std::string round_trip(std::string_view text) { return Json::parse(text).dump(); }

TEST(json, is_written_as_a_list_of_plain_values) {
  const std::uint64_t n = 5;
  const std::string path = "a.txt";
  const Json header = {{"cmd", "put"}, {"path", path},    {"size", n},
                       {"ok", true},   {"none", nullptr}, {"error", {{"code", "not_found"}}}};
  EXPECT_EQ(header.dump(),
            R"({"cmd":"put","path":"a.txt","size":5,"ok":true,"none":null,"error":{"code":"not_found"}})");
}

TEST(json, one_pair_is_an_object_and_arrays_are_asked_for) {
  EXPECT_EQ(Json({{"cmd", "ping"}}).dump(), R"({"cmd":"ping"})");
  EXPECT_EQ(Json::array({"cmd", "ping", 1, 2.5}).dump(), R"(["cmd","ping",1,2.5])");
  EXPECT_EQ(Json::array_of(std::vector<int>{1, 2}).dump(), "[1,2]");
  EXPECT_EQ(Json::object().dump(), "{}");
  EXPECT_EQ(Json::array().dump(), "[]");
}

TEST(json, keeps_order_and_unknown_keys) {
  const char* text = R"({"z":1,"a":{"y":[],"b":{}},"unknown":[null,true,false,"x",-1.5]})";
  EXPECT_EQ(round_trip(text), text);
}

TEST(json, takes_white_space_where_the_grammar_has_it) {
  EXPECT_EQ(round_trip(" \t\r\n{ \"a\" : [ 1 , 2 ] } \n"), R"({"a":[1,2]})");
  EXPECT_EQ(round_trip(" \"x\" "), "\"x\"");
  EXPECT_EQ(round_trip(" 12 "), "12");
  EXPECT_TRUE(Json::parse(" null ").is_null());
}

TEST(json, integers_of_every_size_survive_a_round_trip) {
  for (const char* text : {"0", "-1", "9223372036854775807", "-9223372036854775808", "9223372036854775808",
                           "18446744073709551615", "18446744073709551616", "-9223372036854775809",
                           "123456789012345678901234567890123456789012345678901234567890"}) {
    EXPECT_EQ(round_trip(text), text);
    EXPECT_EQ(Json::parse(text).as_number_text(), text);
    EXPECT_EQ(round_trip(std::string("{\"n\":[") + text + "]}"), std::string("{\"n\":[") + text + "]}");
  }
}

TEST(json, an_integer_is_given_only_as_a_type_that_holds_it) {
  const Json big = Json::parse("18446744073709551615");
  EXPECT_EQ(big.as_uint64(), std::numeric_limits<std::uint64_t>::max());
  EXPECT_THROW((void)big.as_int64(), JsonError);
  EXPECT_THROW((void)Json::parse("18446744073709551616").as_uint64(), JsonError);
  EXPECT_THROW((void)Json::parse("-1").as_uint64(), JsonError);
  EXPECT_THROW((void)Json::parse("1.0").as_int64(), JsonError);
  EXPECT_EQ(Json::parse("-9223372036854775808").as_int64(), std::numeric_limits<std::int64_t>::min());
  EXPECT_DOUBLE_EQ(Json::parse("18446744073709551616").as_double(), 18446744073709551616.0);
}

TEST(json, reals_survive_a_round_trip_and_stay_reals) {
  EXPECT_EQ(round_trip("1.0"), "1.0");
  EXPECT_EQ(round_trip("0.1"), "0.1");
  EXPECT_EQ(Json::parse("2.5e3").as_double(), 2500.0);
  EXPECT_EQ(round_trip("1e999"), "1e999") << "beyond a double: kept as digits";
  EXPECT_THROW((void)Json::parse("1e999").as_double(), JsonError);
  std::mt19937_64 random(7);
  for (int i = 0; i < 2000; ++i) {
    const auto value = std::bit_cast<double>(random());
    if (!std::isfinite(value)) continue;
    EXPECT_EQ(Json::parse(Json(value).dump()).as_double(), value);
  }
}

TEST(json, infinities_and_nan_are_refused) {
  EXPECT_THROW(Json(std::numeric_limits<double>::infinity()), JsonError);
  EXPECT_THROW(Json(std::nan("")), JsonError);
}

TEST(json, strings_are_escaped_and_read_back) {
  std::string all;
  for (char c = 0; c < 127; ++c) all.push_back(c);
  all += "\x7f 黑马 😀 \xC2\x80";
  const std::string text = Json(all).dump();
  EXPECT_EQ(text.find_first_of(std::string("\0\n\r\t\x1b", 5)), std::string::npos)
      << "no control characters on the wire";
  EXPECT_EQ(Json::parse(text).as_string(), all);
  EXPECT_EQ(Json::parse(R"("\u00e9\ud83d\ude00\/\b\f\n\r\t\"\\")").as_string(), "é😀/\b\f\n\r\t\"\\");
}

TEST(json, keys_are_escaped_and_read_back) {
  const Json value = {
      {"", 1}, {"a\"b", 2}, {"c\\", 3}, {"\\", 4}, {"d\n\x01", 5}, {"黑马 😀", 6}, {std::string(300, 'k'), 7}};
  const Json again = Json::parse(value.dump());
  EXPECT_EQ(again, value);
  EXPECT_EQ(again.as_object()[2].key, "c\\");
  const Json written = Json::parse(R"({ "\u0061" :1, "\/b":2 , "x\\":3})");
  EXPECT_EQ(written["a"].as_int64(), 1);
  EXPECT_EQ(written["/b"].as_int64(), 2);
  EXPECT_EQ(written["x\\"].as_int64(), 3);
  for (const char* text :
       {R"({"\q":1})", R"({"a\ud800":1})", R"({"\u00g0":1})", "{\"a\nb\":1}", R"({"a\":1})", R"({"a)"}) {
    EXPECT_EQ(fault_of(text), Fault::not_json) << text;
  }
}

TEST(json, what_is_not_utf8_is_written_as_the_replacement_character) {
  EXPECT_EQ(Json("a\xFFz").dump(), "\"a\xEF\xBF\xBDz\"");
  EXPECT_EQ(Json("\xED\xA0\x80").dump(), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
  EXPECT_EQ(Json("\xE2\x82").dump(), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
  EXPECT_EQ(Json("\xC0\xAF\xF5\x80").dump(), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

TEST(json, refuses_invalid_utf8) {
  for (const char* text :
       {"\"\xFF\"", "{\"\xC0\x80\":1}", "\"\xED\xA0\x80\"", "\"\xF8\x88\x80\x80\x80\"", "\"\xE2\x82\""}) {
    EXPECT_EQ(fault_of(text), Fault::invalid_utf8);
  }
  for (const char* text : {R"("\ud800")", R"("\udc00")", R"("a\udfffb")", R"("\ud83dx")", R"("\ud83d\u0041")"}) {
    EXPECT_EQ(fault_of(text), Fault::not_json) << text;
  }
}

TEST(json, refuses_a_key_that_comes_twice) {
  EXPECT_EQ(fault_of(R"({"a":1,"b":2,"a":3})"), Fault::duplicate_key);
  EXPECT_EQ(fault_of(R"({"x":[{"a":1,"\u0061":3}]})"), Fault::duplicate_key);
  std::string many = "{";
  for (int i = 0; i < 3000; ++i) many += "\"k" + std::to_string(i) + "\":0,";
  EXPECT_EQ(fault_of(many + "\"k1500\":1}"), Fault::duplicate_key);
  EXPECT_EQ(Json::parse(many + "\"last\":1}")["last"].as_int64(), 1);
  EXPECT_THROW(Json({{"a", 1}, {"a", 2}}), JsonSyntaxError);
}

TEST(json, refuses_what_the_grammar_does_not_have) {
  for (const char* text :
       {"",          "  ",         "nul",         "nulll",      "True",      "truex",   "[tru]",    "[nullx]",
        "01",        "-",          "+1",          "1.",         ".5",        "1e",      "0x10",     "1 2",
        "NaN",       "Infinity",   "{\"a\" 1}",   "{\"a\":1,}", "{,}",       "{a:1}",   "{'a':1}",  "{1:2}",
        "{\"a\":}",  "{\"a\"}",    "[1 2]",       "[1,]",       "[,1]",      "[1,2}",   "{]",       "[[]",
        "[]]",       "{\"a\":1}x", "{\"a\":1}{}", "{} []",      "{\"a\":[}", "\"abc",   "\"abc\"d", "\"\\x\"",
        "\"\\u12\"", "\"a\tb\"",   "\"a\nb\"",    "[1,2",       "{\"a\":1",  "// c\n1", "[1x]",     "[1,2]]"}) {
    EXPECT_EQ(fault_of(text), Fault::not_json) << text;
  }
  EXPECT_EQ(fault_of(std::string_view("{\"a\":1}\0", 8)), Fault::not_json);
  EXPECT_EQ(fault_of("\xEF\xBB\xBF{}"), Fault::not_json) << "a byte order mark";
}

TEST(json, refuses_deep_nesting) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_EQ(Json::parse(nested(64)).dump(), nested(64));
  EXPECT_EQ(fault_of(nested(65)), Fault::too_deep);
  EXPECT_EQ(fault_of(nested(5), {.depth = 4}), Fault::too_deep);
  EXPECT_EQ(fault_of(nested(30'000), {.depth = 1'000'000}), Fault::too_deep);
  std::string objects;
  for (int i = 0; i < 100; ++i) objects += "{\"a\":";
  EXPECT_EQ(fault_of(objects + "1" + std::string(100, '}')), Fault::too_deep);
}

TEST(json, what_nests_as_deep_as_is_ever_allowed_fits_on_the_stack_of_a_fiber) {
  const auto nested = [](int depth) {
    std::string begin;
    std::string end;
    for (int i = 0; i < depth; ++i) {
      begin += i % 2 == 0 ? "[" : R"({"a":)";
      end.insert(0, i % 2 == 0 ? "]" : "}");
    }
    return begin + "1" + end;
  };
  run([&] {
    spawn([&] {
      const Json deep = Json::parse(nested(100), {.depth = 1'000'000});
      const Json copy = deep;
      EXPECT_EQ(copy, deep);
      EXPECT_EQ(copy.dump(), nested(100));
      for (const int depth : {101, 1000, 1024}) {
        EXPECT_EQ(fault_of(nested(depth), {.depth = 1'000'000}), Fault::too_deep);
      }
    }).get();
  });
}

TEST(json, errors_name_the_key_and_what_was_found) {
  const Json header = {{"size", "big"}, {"error", {{"code", 5}}}};
  EXPECT_EQ(message_of([&] { (void)header["size"].as_uint64(); }),
            "\"size\": wanted an integer of 64 bits, not negative, found a string");
  EXPECT_EQ(message_of([&] { (void)header["path"].as_string(); }), "\"path\" is missing");
  EXPECT_EQ(message_of([&] { (void)header["error"]["code"].as_string(); }),
            "\"code\": wanted a string, found the number 5");
  EXPECT_EQ(message_of([&] { (void)header.get_bool("size", true); }), "\"size\": wanted a boolean, found a string");
}

TEST(json, fallbacks_stand_for_what_is_missing_or_null) {
  const Json header = {{"a", nullptr}, {"b", 7}, {"c", "x"}, {"d", false}};
  EXPECT_EQ(header.get_string("a", "none"), "none");
  EXPECT_EQ(header.get_string("c", "none"), "x");
  EXPECT_EQ(header.get_uint64("b", 1), 7U);
  EXPECT_EQ(header.get_int64("z", -1), -1);
  EXPECT_FALSE(header.get_bool("d", true));
}

TEST(json, members_can_be_set_replaced_and_appended) {
  Json value;
  value.set("a", 1).set("b", 2).set("a", "x");
  EXPECT_EQ(value.dump(), R"({"a":"x","b":2})");
  Json list;
  list.push_back(1).push_back(Json::object());
  EXPECT_EQ(list.dump(), "[1,{}]");
  EXPECT_THROW(list.set("a", 1), JsonError);
  EXPECT_THROW(value.push_back(1), JsonError);
}

// One of each kind, long and short.
std::vector<Json> one_of_each() {
  return {Json(),
          true,
          -5,
          std::uint64_t{1} << 63,
          0.5,
          Json::number("123456789012345678901234567890"),
          "short",
          std::string(1000, 'x'),
          Json::array({1, "two", Json::array()}),
          {{"a", 1}, {"b", {{"c", "deep"}}}}};
}

TEST(json, every_kind_can_be_copied_moved_and_assigned_over_every_other) {
  for (const Json& from : one_of_each()) {
    for (Json over : one_of_each()) {
      Json copied = over;
      copied = from;
      EXPECT_EQ(copied, from);
      over = std::move(copied);
      EXPECT_EQ(over, from);
      EXPECT_EQ(over.dump(), from.dump());
      EXPECT_TRUE(copied.is_null());  // NOLINT(bugprone-use-after-move): promised
      Json& itself = over;
      over = itself;
      over = std::move(itself);
      EXPECT_EQ(over, from);
    }
  }
}

TEST(json, a_part_of_a_value_can_be_assigned_to_it) {
  Json value = {{"outer", {{"inner", Json::array({"x", 2})}}}};
  value = value["outer"];
  EXPECT_EQ(value, (Json{{"inner", Json::array({"x", 2})}}));
  value = Json(value["inner"]);
  EXPECT_EQ(value, Json::array({"x", 2}));
  value = value.as_array()[0];
  EXPECT_EQ(value, Json("x"));
}

TEST(json, gives_an_integer_that_fits_or_nothing) {
  EXPECT_EQ(Json(0).to_uint64(), 0U);
  EXPECT_EQ(Json(std::numeric_limits<std::uint64_t>::max()).to_uint64(), std::numeric_limits<std::uint64_t>::max());
  for (const Json& other : {Json(), Json(true), Json(-1), Json(1.0), Json("1"), Json::number("18446744073709551616")}) {
    EXPECT_EQ(other.to_uint64(), std::nullopt) << other.dump();
  }
}

TEST(json, texts_of_every_length_are_written_whole) {
  for (std::size_t length = 0; length < 600; ++length) {
    const std::string plain(length, 'p');
    const Json value = {{plain, plain + "\n" + plain}, {plain + "2", 7}};
    EXPECT_EQ(value.dump(), "{\"" + plain + "\":\"" + plain + "\\n" + plain + "\",\"" + plain + "2\":7}");
  }
}

TEST(json, objects_are_equal_whatever_their_order) {
  EXPECT_EQ(Json::parse(R"({"a":1,"b":[2]})"), Json::parse(R"({"b":[2],"a":1})"));
  EXPECT_FALSE(Json::parse("[1,2]") == Json::parse("[2,1]"));
  EXPECT_FALSE(Json::parse("1") == Json::parse("1.0"));
}

TEST(json, large_texts_are_read_too) {
  std::string text = "[";
  for (int i = 0; i < 100'000; ++i) text += "\"item\",";
  text += "0]";
  EXPECT_EQ(Json::parse(text).as_array().size(), 100'001U);
}

// What a text means does not hang on the bytes behind it, which are another frame's: not even when it ends too early.
TEST(json, what_lies_behind_a_text_is_not_read) {
  const auto meaning = [](auto&& read) {
    try {
      return read().dump();
    } catch (const JsonSyntaxError& error) {
      return "fault " + std::to_string(static_cast<int>(error.fault()));
    }
  };
  const std::string good = R"({"a":[{"b":[1,2.5,"x"]},{"c":{}},null,[[],[true]]],"d":{"e":[[1],[2]]}})";
  for (std::size_t length = 1; length <= good.size(); ++length) {
    for (const char* end : {"", "]", "}", "]]", "}]", "]}", "}}", ",", ",]", ":}"}) {
      const std::string text = good.substr(0, length) + end;
      const std::string alone = meaning([&] { return Json::parse(text); });
      for (const char behind : std::string(",]}[{:\"0t\0 ", 11)) {
        const std::string all = text + std::string(256, behind);
        EXPECT_EQ(meaning([&] {
                    return Json::parse_padded({all.data(), text.size()}, all.size());
                  }),
                  alone)
            << text << " and then " << behind;
      }
    }
  }
  for (const std::string text : {"[[1]", "[{}", R"({"a":[{})", R"({"a":{})"}) {
    const std::string all = text + std::string(256, ',');
    EXPECT_THROW((void)Json::parse_padded({all.data(), text.size()}, all.size()), JsonSyntaxError) << text;
  }
}

// Whatever the bytes: either a value that survives a round trip, or a typed error.
TEST(json, random_damage_never_does_more_than_throw) {
  const std::string good =
      R"({"cmd":"put","path":"a/b c.txt","total":123456789012345678901,"hash":{"algorithm":"sha256","value":"00ff"},)"
      R"("list":[1,2.5,-3e7,null,true,false,"\u00e9\n"],"id":[{"x":{}}]})";
  const std::string spice = "{}[]\",:\\ue0-+.truefalsnl\x80\xED\xFF\x00 \n";
  std::mt19937 random(11);
  for (int round = 0; round < 20'000; ++round) {
    std::string text = good;
    const int edits = 1 + static_cast<int>(random() % 4);
    for (int i = 0; i < edits && !text.empty(); ++i) {
      const std::size_t at = random() % text.size();
      switch (random() % 3) {
        case 0:
          text[at] = spice[random() % spice.size()];
          break;
        case 1:
          text.erase(at, 1 + random() % 5);
          break;
        default:
          text.insert(at, 1, spice[random() % spice.size()]);
          break;
      }
    }
    try {
      const Json value = Json::parse(text);
      EXPECT_EQ(Json::parse(value.dump()), value) << text;
    } catch (const JsonSyntaxError&) {
    }
  }
}

}  // namespace
}  // namespace hawser
