#include <hawser/process/output.h>

#include <string>

#include <hawser/process/run_command.h>

#include "process/contexts.h"

using namespace hawser;
using namespace hawser::testing;
using namespace std::chrono_literals;

TEST(output_text, is_decoded_by_the_codec_that_is_named) {
  const Completed done =
      run_command(Command::shell("printf '\\272\\332\\302\\355aB1!'; printf '\\303\\244' >&2"), {.capture = true});
  EXPECT_EQ(done.text("gbk", OnError::replace).out, "黑马aB1!");
  EXPECT_EQ(Output(done.out, done.err).text("latin-1").err, "Ã¤");
  EXPECT_THROW(static_cast<void>(done.text()), DecodeError);
  const CompletedText text = done.text("utf-8", OnError::replace);
  EXPECT_EQ(text.err, "ä");
  EXPECT_EQ(text.return_code, 0);
  EXPECT_EQ(text.command.argv, done.command.argv);
}

TEST(output_text, has_plain_newlines) {
  EXPECT_EQ(output_text("a\r\nb\rc\n\r\r\n\nd\r"), "a\nb\nc\n\n\n\nd\n");
  EXPECT_EQ(output_text("plain\n"), "plain\n");
  EXPECT_EQ(output_text(""), "");
}

TEST(output_text, a_character_cut_in_two_by_the_limit_is_left_out) {
  const Completed done = run_command({"printf", "ä€"}, {.capture = true, .output_limit = 4});
  EXPECT_TRUE(done.truncated);
  EXPECT_EQ(done.text().out, "ä");
  EXPECT_THROW(static_cast<void>(output_text(done.out)), DecodeError);
}

TEST(output_text, a_character_cut_in_two_by_the_end_of_the_time_is_left_out) {
  try {
    run_command(Command::shell("printf 'ab\\303'; exec sleep 100"), {.capture = true, .timeout = 200ms});
    FAIL();
  } catch (const CommandTimedOut& late) {
    EXPECT_EQ(late.text().out, "ab");
    EXPECT_EQ(late.output().out.size(), 3U);
  }
}
