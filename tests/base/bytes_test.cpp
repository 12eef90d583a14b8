#include <hawser/base/bytes.h>

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

using namespace hawser;

TEST(bytes, is_true_while_there_is_something) {
  EXPECT_FALSE(Bytes());
  EXPECT_FALSE(Bytes(""));
  EXPECT_TRUE(Bytes("x"));
}

TEST(bytes, copies_are_independent_and_moves_leave_nothing) {
  Bytes a("abc");
  Bytes b = a;
  b.data()[0] = std::byte{'X'};
  EXPECT_EQ(a, "abc");
  EXPECT_EQ(b, "Xbc");
  const Bytes c = std::move(a);
  EXPECT_EQ(c, "abc");
  EXPECT_TRUE(a.empty());  // NOLINT(bugprone-use-after-move): that is what is promised
}

TEST(bytes, grows_by_appending_also_its_own_content) {
  Bytes a("ab");
  for (int i = 0; i < 10; ++i) a.append(a.span());
  EXPECT_EQ(a.size(), 2048U);
  EXPECT_EQ(a.str().find_first_not_of("ab"), std::string::npos);
  EXPECT_EQ(a.view().substr(2046), "ab");
}

TEST(bytes, truncate_refuses_to_lengthen) {
  Bytes a("abcdef");
  a.truncate(2);
  EXPECT_EQ(a, "ab");
  EXPECT_THROW(a.truncate(3), std::length_error);
}

TEST(bytes_view, takes_text_bytes_and_parts) {
  const std::string text = "hello";
  const BytesView view = text;
  EXPECT_EQ(view.from(2).text(), "llo");
  EXPECT_TRUE(view.from(9).empty());
  EXPECT_EQ(view.first(99).text(), "hello");
}
