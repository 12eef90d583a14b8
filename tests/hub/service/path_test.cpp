#include "hub/service/path.h"

#include <gtest/gtest.h>

#include "temporary_root.h"

namespace hawser::hub {
namespace {

std::optional<ErrorCode> refused(std::string_view text) {
  return code_of([&] { static_cast<void>(Path::parse(text)); });
}

TEST(path, is_brought_to_its_normal_form) {
  EXPECT_EQ(Path::parse("a/b.txt").text(), "a/b.txt");
  EXPECT_EQ(Path::parse("./a//b/./c/").text(), "a/b/c");
  EXPECT_EQ(Path::parse("a/b/c").name(), "c");
  EXPECT_EQ(Path::parse("a/b/c").parent().text(), "a/b");
  EXPECT_TRUE(Path::parse("a").parent().is_home());
  EXPECT_TRUE(Path::parse("a/").names_directory());
  EXPECT_FALSE(Path::parse("a").names_directory());
}

TEST(path, may_be_the_home) {
  for (const char* text : {"", ".", "./", ".//./"}) {
    EXPECT_TRUE(Path::parse(text).is_home()) << text;
    EXPECT_EQ(Path::parse(text).shown(), ".");
  }
}

TEST(path, takes_every_name_that_a_file_may_have) {
  for (const char* text :
       {"...", "..a", "a..", "-rf", "~", "$HOME", "a b", "黑马.txt", "é", "e\xcc\x81", "\xf0\x9f\x98\x80",
        "\xe2\x80\xae"
        "gpj.exe",
        "C:\\x", "*?[", "'\"`"}) {
    EXPECT_EQ(Path::parse(text).text(), text);
  }
  EXPECT_EQ(Path::parse(std::string(255, 'x')).text().size(), 255U);
}

TEST(path, refuses_what_would_leave_the_home) {
  for (const char* text : {"..", "../a", "a/..", "a/../b", "a/../../etc/passwd", "./..", "..//", "/", "/etc/passwd",
                           "//a", "a/b/../../.."}) {
    EXPECT_EQ(refused(text), ErrorCode::forbidden) << text;
  }
}

TEST(path, refuses_control_characters) {
  using namespace std::string_view_literals;
  for (const auto text : {"a\0b"sv, "\0"sv, "a\nb"sv, "\x1b[31m"sv, "a\x7f"sv, "a\xc2\x85"sv, "a\tb"sv, "a.txt\0"sv}) {
    EXPECT_EQ(refused(text), ErrorCode::forbidden) << text;
  }
}

TEST(path, refuses_what_is_not_utf8) {
  for (const char* text : {"\xff", "a\x80", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "a\xc3",
                           "\xc0\xae\xc0\xae/x", "\xba\xda"}) {
    EXPECT_EQ(refused(text), ErrorCode::bad_request);
  }
}

TEST(path, is_limited_in_every_direction) {
  EXPECT_EQ(refused(std::string(256, 'x')), ErrorCode::bad_request);
  EXPECT_EQ(refused(std::string(5000, '/')), ErrorCode::bad_request);
  std::string deep = "a";
  for (int i = 1; i < 128; ++i) deep += "/a";
  EXPECT_EQ(refused(deep), std::nullopt);
  EXPECT_EQ(refused(deep + "/a"), ErrorCode::bad_request);
}

TEST(path, messages_name_the_path_but_never_control_characters) {
  std::string message;
  EXPECT_TRUE(code_of([] { static_cast<void>(Path::parse("a/../b")); }, &message));
  EXPECT_NE(message.find("a/../b"), std::string::npos);
  EXPECT_TRUE(code_of([] { static_cast<void>(Path::parse("a\x1b[2J")); }, &message));
  EXPECT_EQ(message.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace hawser::hub
