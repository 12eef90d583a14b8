#include <hawser/wire/frame_stream.h>

#include <cstdio>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "wire/scripted_stream.h"

namespace hawser {
namespace {

std::string text_of(const Bytes& bytes) { return bytes.str(); }

FrameFault fault_of(const std::string& bytes, FrameLimits limits = {}) {
  ScriptedStream stream(bytes);
  FrameStream frames(stream, limits);
  try {
    const Frame frame = frames.receive();
    frames.skip_body();
    ADD_FAILURE() << "accepted: " << frame.header().dump();
  } catch (const FrameError& error) {
    EXPECT_NE(std::string(error.what()), "");
    return error.fault();
  }
  return FrameFault::slow;
}

std::string length_prefix(std::uint32_t length) {
  std::string bytes;
  for (int shift = 0; shift < 32; shift += 8) bytes.push_back(static_cast<char>((length >> shift) & 0xFF));
  return bytes;
}

// A file that is gone when the test ends.
struct TemporaryFile {
  explicit TemporaryFile(const std::string& content) : file(std::tmpfile()) {
    std::fwrite(content.data(), 1, content.size(), file);
    std::fflush(file);
  }
  ~TemporaryFile() { std::fclose(file); }
  [[nodiscard]] int fd() const { return fileno(file); }
  std::FILE* file;
};

TEST(frame_stream, sends_what_the_protocol_page_says) {
  ScriptedStream stream;
  FrameStream frames(stream);
  frames.send({{"cmd", "put"}, {"path", "a.txt"}, {"size", 5}}, "hello");
  EXPECT_EQ(stream.sent(), frame_bytes(R"({"cmd":"put","path":"a.txt","size":5})", "hello"));
}

TEST(frame_stream, header_and_small_body_leave_in_one_call) {
  ScriptedStream stream;
  FrameStream frames(stream);
  frames.send({{"cmd", "ping"}});
  frames.send({{"cmd", "put"}}, std::string(100, 'x'));
  frames.send({{"cmd", "put"}}, std::string(100'000, 'x'));
  EXPECT_EQ(stream.written.size(), 3U);
}

TEST(frame_stream, adds_the_size_that_the_header_lacks) {
  ScriptedStream stream;
  FrameStream frames(stream);
  frames.send({{"a", 1}}, "xyz");
  frames.send(Json::object(), "xyz");
  frames.send({}, "xyz");
  frames.send({{"a", 1}});
  EXPECT_EQ(stream.sent(), frame_bytes(R"({"a":1,"size":3})", "xyz") + frame_bytes(R"({"size":3})", "xyz") +
                               frame_bytes(R"({"size":3})", "xyz") + frame_bytes(R"({"a":1})"));
}

TEST(frame_stream, a_header_that_cannot_be_right_is_refused_before_anything_is_sent) {
  ScriptedStream stream;
  FrameStream frames(stream);
  EXPECT_THROW(frames.send({{"size", 4}}, "hello"), std::invalid_argument);
  EXPECT_THROW(frames.send({{"size", 4}}), std::invalid_argument);
  EXPECT_THROW(frames.send(Json::array({1}), "hello"), std::invalid_argument);
  EXPECT_THROW(frames.send({{"x", std::string(70'000, 'x')}}), std::invalid_argument);
  EXPECT_THROW(frames.send({{"size", "5"}}, "hello"), std::invalid_argument);
  constexpr std::uint64_t kTooLong = std::uint64_t{1} << 63;
  EXPECT_THROW(frames.send(Json(), FileSlice{.fd = 0, .count = kTooLong}), std::invalid_argument);
  EXPECT_THROW(frames.send({{"size", kTooLong}}, FileSlice{.fd = 0, .count = kTooLong}), std::invalid_argument);
  EXPECT_TRUE(stream.written.empty());
}

TEST(frame_stream, a_header_written_as_a_list_is_sent_as_its_value_is) {
  const auto expect_same = [](std::initializer_list<Json::Written> header, std::string_view body) {
    std::string sent[2];
    std::string refused[2];
    const auto try_out = [&](int which, auto&& send) {
      ScriptedStream stream;
      FrameStream frames(stream);
      try {
        send(frames);
      } catch (const std::exception& error) {
        refused[which] = error.what();
      }
      sent[which] = stream.sent();
    };
    try_out(0, [&](FrameStream& frames) { frames.send(header, body); });
    try_out(1, [&](FrameStream& frames) {
      const Json value(header);
      frames.send(value, body);
    });
    EXPECT_EQ(sent[0], sent[1]);
    EXPECT_EQ(refused[0], refused[1]);
    EXPECT_EQ(refused[0].empty(), !sent[0].empty());
  };
  const std::string long_text(300, 'x');
  expect_same({}, "");
  expect_same({}, "body");
  expect_same({{"a", Json()}, {"b", true}, {"c", -1}, {"d", 0.5}, {"e", "é\n\"\\\x01"}, {"é\t", Json::array({1, "x"})}},
              "b");
  expect_same({{"a", Json({{"size", 7}})}, {"b", Json::number("123456789012345678901234567890")}}, "body");
  expect_same({{long_text, long_text}, {"x", long_text}, {"y", 1e300}, {"z", 100.0}}, long_text);
  expect_same({{"bad \xFF text", "\xED\xA0\x80"}}, "");
  expect_same({{"size", 4}, {"x", 1}}, "body");
  expect_same({{"size", 5}}, "body");
  expect_same({{"size", nullptr}}, "body");
  expect_same({{"twice", 1}, {"x", 2}, {"twice", 3}}, "body");
  expect_same({{"x", std::string(70'000, 'x')}}, "body");
}

// Sends a frame on another stream before its own: as it is when one sender waits and others on its thread go on.
class Interrupted : public ScriptedStream {
 public:
  explicit Interrupted(FrameStream* other) : other_(other) {}
  void write_all(BytesView data) override {
    if (other_) other_->send({{"who", "other"}}, "body of the other");
    ScriptedStream::write_all(data);
  }

 private:
  FrameStream* other_;
};

TEST(frame_stream, a_sender_that_waits_keeps_what_it_sends) {
  ScriptedStream innermost;
  FrameStream third(innermost);
  Interrupted middle(&third);
  FrameStream second(middle);
  Interrupted outermost(&second);
  FrameStream first(outermost);
  for (int round = 0; round < 3; ++round) first.send({{"who", "first"}}, "body of the first");
  const auto frame = [](std::string_view who) {
    const std::string body = "body of the " + std::string(who);
    return frame_bytes("{\"who\":\"" + std::string(who) + "\",\"size\":" + std::to_string(body.size()) + "}", body);
  };
  EXPECT_EQ(outermost.sent(), frame("first") + frame("first") + frame("first"));
  EXPECT_EQ(middle.sent(), frame("other") + frame("other") + frame("other"));
  EXPECT_EQ(innermost.sent(), middle.sent());
}

TEST(frame_stream, sends_a_part_of_a_file) {
  const TemporaryFile file("0123456789");
  ScriptedStream stream;
  FrameStream frames(stream);
  frames.send({{"cmd", "put"}}, FileSlice{file.fd(), 3, 5});
  const Json header = {{"cmd", "get"}, {"size", 2}};
  frames.send(header, FileSlice{file.fd(), 8, 2});
  EXPECT_EQ(stream.sent(),
            frame_bytes(R"({"cmd":"put","size":5})", "34567") + frame_bytes(R"({"cmd":"get","size":2})", "89"));
}

TEST(frame_stream, a_file_that_is_shorter_than_promised_is_an_error) {
  const TemporaryFile file("0123");
  ScriptedStream stream;
  FrameStream frames(stream);
  EXPECT_THROW(frames.send({{"cmd", "put"}}, FileSlice{file.fd(), 0, 5}), FrameError);
}

TEST(frame_stream, receives_header_and_body_with_one_read) {
  ScriptedStream stream(frame_bytes(R"({"cmd":"put","size":5,"extra":[1]})", "hello"));
  FrameStream frames(stream);
  const Frame frame = frames.receive();
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame["cmd"].as_string(), "put");
  EXPECT_EQ(frame.body_size(), 5U);
  EXPECT_EQ(text_of(frames.read_body_all(100)), "hello");
  EXPECT_EQ(stream.reads, 1U);
}

TEST(frame_stream, several_frames_in_one_read_need_no_other) {
  std::string all;
  for (int i = 0; i < 50; ++i) all += frame_bytes(R"({"n":)" + std::to_string(i) + R"(,"size":3})", "abc");
  ScriptedStream stream(all);
  FrameStream frames(stream);
  for (int i = 0; i < 50; ++i) {
    const Frame frame = frames.receive();
    EXPECT_EQ(frame["n"].as_int64(), i);
    EXPECT_EQ(text_of(frames.read_body_all(3)), "abc");
  }
  EXPECT_EQ(stream.reads, 1U);
  EXPECT_FALSE(frames.receive());
}

TEST(frame_stream, the_end_between_frames_is_an_empty_frame_again_and_again) {
  ScriptedStream stream(frame_bytes("{}"));
  FrameStream frames(stream);
  EXPECT_TRUE(frames.receive());
  EXPECT_FALSE(frames.receive());
  const Frame none = frames.receive();
  EXPECT_FALSE(none);
  EXPECT_THROW((void)none["ok"].as_bool(), FrameError);
}

TEST(frame_stream, frames_arrive_whole_at_every_split) {
  const std::string all = frame_bytes(R"({"a":"x","size":4})", "body") + frame_bytes(R"({"b":2})");
  for (std::size_t cut = 1; cut < all.size(); ++cut) {
    ScriptedStream stream;
    stream.pieces = {all.substr(0, cut), all.substr(cut)};
    FrameStream frames(stream);
    EXPECT_EQ(frames.receive()["a"].as_string(), "x");
    EXPECT_EQ(text_of(frames.read_body_all(4)), "body");
    EXPECT_EQ(frames.receive()["b"].as_int64(), 2);
    EXPECT_FALSE(frames.receive());
  }
}

TEST(frame_stream, frames_arrive_whole_byte_by_byte) {
  const std::string all =
      frame_bytes(R"({"a":"x","size":4})", "body") + frame_bytes("{\"b\":\"" + std::string(40'000, 'y') + "\"}");
  ScriptedStream stream;
  for (const char c : all) stream.pieces.emplace_back(1, c);
  FrameStream frames(stream);
  EXPECT_EQ(frames.receive()["a"].as_string(), "x");
  EXPECT_EQ(text_of(frames.read_body_all(4)), "body");
  EXPECT_EQ(frames.receive()["b"].as_string().size(), 40'000U);
  EXPECT_FALSE(frames.receive());
}

TEST(frame_stream, a_large_body_is_read_into_the_callers_memory) {
  const std::string body(1'000'000, 'z');
  ScriptedStream stream(frame_bytes(R"({"size":1000000})", body));
  FrameStream frames(stream);
  (void)frames.receive();
  Bytes all = Bytes::uninitialised(body.size());
  EXPECT_EQ(frames.read_body_exactly(all.span()), body.size());
  EXPECT_EQ(all, std::string_view(body));
  EXPECT_EQ(stream.reads, 2U) << "one with the header, one for the rest";
  EXPECT_EQ(frames.read_body(all.span()), 0U);
}

TEST(frame_stream, what_is_left_of_a_body_is_skipped_by_the_next_receive) {
  ScriptedStream stream(frame_bytes(R"({"size":100000})", std::string(100'000, 'x')) + frame_bytes(R"({"next":true})"));
  FrameStream frames(stream);
  (void)frames.receive();
  std::array<std::byte, 10> some;
  EXPECT_EQ(frames.read_body(some), 10U);
  EXPECT_EQ(frames.body_left(), 99'990U);
  EXPECT_TRUE(frames.receive()["next"].as_bool());
}

TEST(frame_stream, a_body_beyond_the_callers_limit_is_not_read) {
  ScriptedStream stream(frame_bytes(R"({"size":11})", "hello world"));
  FrameStream frames(stream);
  (void)frames.receive();
  EXPECT_THROW((void)frames.read_body_all(10), FrameError);
  EXPECT_EQ(text_of(frames.read_body_all(11)), "hello world") << "the stream is not broken by that";
}

TEST(frame_stream, the_longest_header_is_received_and_one_byte_more_is_not) {
  const std::string longest = R"({"x":")" + std::string(65'536 - 8, 'x') + "\"}";
  ASSERT_EQ(longest.size(), 65'536U);
  ScriptedStream stream(frame_bytes(longest) + frame_bytes("{}"));
  FrameStream frames(stream);
  EXPECT_EQ(frames.receive()["x"].as_string().size(), 65'528U);
  EXPECT_TRUE(frames.receive());
  EXPECT_EQ(fault_of(frame_bytes(longest + " ")), FrameFault::header_limit);
}

TEST(frame_stream, lengths_that_are_none_are_refused) {
  EXPECT_EQ(fault_of(length_prefix(0)), FrameFault::bad_length);
  EXPECT_EQ(fault_of(length_prefix(0xFFFFFFFF)), FrameFault::bad_length);
  EXPECT_EQ(fault_of(length_prefix(0x80000000)), FrameFault::bad_length);
  EXPECT_EQ(fault_of(length_prefix(0x7FFFFFFF)), FrameFault::header_limit);
  EXPECT_EQ(fault_of("GET / HTTP/1.1\r\n\r\n"), FrameFault::header_limit);
}

TEST(frame_stream, a_hostile_length_costs_no_memory_and_no_read) {
  ScriptedStream stream(length_prefix(0x7FFFFFFF) + std::string(100, 'x'));
  FrameStream frames(stream);
  EXPECT_THROW((void)frames.receive(), FrameError);
  EXPECT_EQ(stream.reads, 1U);
  EXPECT_LE(stream.largest_read, FrameStream::kBuffer);
}

TEST(frame_stream, a_stream_that_ends_inside_a_frame_is_truncated) {
  const std::string whole = frame_bytes(R"({"a":1,"size":4})", "body");
  for (std::size_t cut = 1; cut < whole.size(); ++cut) EXPECT_EQ(fault_of(whole.substr(0, cut)), FrameFault::truncated);
  EXPECT_EQ(fault_of(frame_bytes(R"({"size":9223372036854775807})", "x")), FrameFault::truncated);
}

TEST(frame_stream, headers_that_are_no_objects_are_refused) {
  for (const char* header : {"[]", "1", "\"x\"", "null", "true"})
    EXPECT_EQ(fault_of(frame_bytes(header)), FrameFault::not_object);
  for (const char* header : {"{", "x", "{\"a\":1}}", "{\"a\":1,}", "\n", "{} {}"}) {
    EXPECT_EQ(fault_of(frame_bytes(header)), FrameFault::not_json) << header;
  }
}

TEST(frame_stream, headers_with_double_keys_bad_text_or_deep_nesting_are_refused) {
  EXPECT_EQ(fault_of(frame_bytes(R"({"size":1,"size":2})")), FrameFault::duplicate_key);
  EXPECT_EQ(fault_of(frame_bytes("{\"a\":\"\xFF\"}")), FrameFault::invalid_utf8);
  EXPECT_EQ(fault_of(frame_bytes("{\"a\":" + std::string(100, '[') + std::string(100, ']') + "}")),
            FrameFault::too_deep);
}

TEST(frame_stream, sizes_that_are_none_are_refused) {
  for (const char* size : {"-1", "1.0", "1e3", "\"5\"", "null", "true", "[]", "9223372036854775808",
                           "18446744073709551616", "1000000000000000000000000000000000000000000000000000000"}) {
    EXPECT_EQ(fault_of(frame_bytes(std::string("{\"size\":") + size + "}")), FrameFault::bad_size) << size;
  }
  EXPECT_EQ(fault_of(frame_bytes(R"({"size":11})"), {.max_body = 10}), FrameFault::body_limit);
}

TEST(frame_stream, a_broken_stream_stays_broken) {
  ScriptedStream stream(frame_bytes("[]") + frame_bytes("{}"));
  FrameStream frames(stream);
  for (int i = 0; i < 3; ++i) {
    try {
      (void)frames.receive();
      FAIL();
    } catch (const FrameError& error) {
      EXPECT_EQ(error.fault(), FrameFault::not_object);
    }
  }
}

TEST(frame_stream, an_answer_can_be_sent_on_a_stream_that_received_rubbish) {
  ScriptedStream stream(frame_bytes("rubbish"));
  FrameStream frames(stream);
  EXPECT_THROW((void)frames.receive(), FrameError);
  frames.send({{"ok", false}});
  EXPECT_EQ(stream.sent(), frame_bytes(R"({"ok":false})"));
}

// Frames of random shape in, cut at random, with random damage: what comes out is what went in, or a typed error, and
// the buffers stay small.
TEST(frame_stream, random_streams_are_understood_or_refused) {
  std::mt19937 random(5);
  for (int round = 0; round < 3000; ++round) {
    std::string all;
    const int count = 1 + static_cast<int>(random() % 5);
    for (int i = 0; i < count; ++i) {
      const std::string body(random() % 40 == 0 ? random() % 50'000 : random() % 50, 'b');
      const std::string filling(random() % 60 == 0 ? random() % 30'000 : random() % 20, 'f');
      all += frame_bytes(
          R"({"n":)" + std::to_string(i) + R"(,"f":")" + filling + R"(","size":)" + std::to_string(body.size()) + "}",
          body);
    }
    const bool damaged = random() % 2 == 0;
    if (damaged) all[random() % std::min<std::size_t>(all.size(), 120)] ^= static_cast<char>(1U << (random() % 8));
    ScriptedStream stream;
    for (std::size_t at = 0; at < all.size();) {
      const std::size_t piece = 1 + (random() % 4 == 0 ? random() % 20'000 : random() % 100);
      stream.pieces.push_back(all.substr(at, piece));
      at += piece;
    }
    FrameStream frames(stream);
    int seen = 0;
    try {
      while (const Frame frame = frames.receive()) {
        if (!damaged) {
          EXPECT_EQ(frame["n"].as_int64(), seen);
        }
        ++seen;
        if (random() % 3 == 0) continue;
        const Bytes body = frames.read_body_all(1 << 20);
        if (!damaged) {
          EXPECT_EQ(body.view().find_first_not_of('b'), std::string_view::npos);
        }
      }
      if (!damaged) {
        EXPECT_EQ(seen, count);
      }
    } catch (const FrameError& error) {
      EXPECT_TRUE(damaged) << error.what();
    }
    EXPECT_LE(stream.largest_read, std::size_t{1} << 20);
  }
}

}  // namespace
}  // namespace hawser
