#include <hawser/net/buffered_reader.h>

#include <hawser/fiber/deadline.h>
#include <hawser/net/buffered_writer.h>
#include <hawser/net/socket.h>

#include "both_contexts.h"

namespace hawser {
namespace {

using namespace std::chrono_literals;

// A stream that hands out a text in pieces of a given size, and collects what is written.
class Pieces final : public Stream {
 public:
  Pieces(std::string text, std::size_t piece) : text_(std::move(text)), piece_(piece) {}
  std::size_t read_some(std::span<std::byte> into) override {
    const std::size_t count = std::min({piece_, into.size(), text_.size() - at_});
    std::copy_n(reinterpret_cast<const std::byte*>(text_.data()) + at_, count, into.begin());
    at_ += count;
    largest_read_ = std::max(largest_read_, into.size());
    return count;
  }
  std::size_t write_some(BytesView data) override {
    ++writes_;
    written_ += data.text();
    return data.size();
  }
  void shutdown_write() override {}
  void close() noexcept override {}
  [[nodiscard]] std::string peer() const override { return "pieces"; }

  std::string text_, written_;
  std::size_t piece_, at_ = 0, largest_read_ = 0;
  int writes_ = 0;
};

TEST(buffered_reader, lines_come_whole_at_every_split) {
  for (std::size_t piece = 1; piece < 20; ++piece) {
    Pieces stream("one\ntwo\r\n\nlast", piece);
    BufferedReader in(stream);
    EXPECT_EQ(in.read_line(), "one\n");
    EXPECT_EQ(in.read_line(), "two\r\n");
    EXPECT_EQ(in.read_line(), "\n");
    EXPECT_EQ(in.read_line(), "last");
    EXPECT_EQ(in.read_line(), std::nullopt);
    EXPECT_EQ(in.read_line(), std::nullopt);
  }
}

TEST(buffered_reader, line_ends_are_taken_off_on_request) {
  EXPECT_EQ(without_line_end("a\n"), "a");
  EXPECT_EQ(without_line_end("a\r\n"), "a");
  EXPECT_EQ(without_line_end("a"), "a");
  EXPECT_EQ(without_line_end("\n"), "");
}

TEST(buffered_reader, line_limit_counts_the_line_end) {
  for (std::size_t piece : {1, 7, 1000}) {
    Pieces stream(std::string(9, 'a') + "\n" + std::string(10, 'b') + "\n", piece);
    BufferedReader in(stream, 10);
    EXPECT_EQ(in.read_line()->size(), 10U);
    try {
      static_cast<void>(in.read_line());
      FAIL();
    } catch (const LimitExceeded& error) {
      EXPECT_EQ(error.limit(), 10U);
    }
    EXPECT_GE(in.buffered().size(), 10U);  // nothing is lost
  }
}

TEST(buffered_reader, a_last_line_without_a_line_end_may_be_as_long_as_the_limit) {
  for (std::size_t piece : {1, 7, 1000}) {
    Pieces stream("1234567\n12345678", piece);
    BufferedReader in(stream, 8);
    EXPECT_EQ(in.read_line(), "1234567\n");
    EXPECT_EQ(in.read_line(), "12345678");
    EXPECT_EQ(in.read_line(), std::nullopt);
    Pieces longer("123456789", piece);
    BufferedReader too_long(longer, 8);
    EXPECT_THROW((void)too_long.read_line(), LimitExceeded);
    EXPECT_EQ(too_long.buffered(), "123456789");
  }
}

TEST(buffered_reader, endless_line_takes_bounded_memory) {
  Pieces stream(std::string(4 << 20, 'x'), 1 << 20);
  BufferedReader in(stream);
  EXPECT_THROW(static_cast<void>(in.read_line()), LimitExceeded);
  EXPECT_LE(stream.at_, BufferedReader::kLineLimit + 1);
}

TEST(buffered_reader, reads_until_a_delimiter_at_every_split) {
  for (std::size_t piece = 1; piece < 12; ++piece) {
    Pieces stream("a--b-\r-c-\r\nrest", piece);
    BufferedReader in(stream);
    EXPECT_EQ(in.read_until("\r\n", 100), "a--b-\r-c-\r\n");
    EXPECT_THROW(static_cast<void>(in.read_until("\r\n", 100)), EndOfStream);
    EXPECT_EQ(in.read(100), "rest");
    EXPECT_EQ(in.read_until("\r\n", 100), std::nullopt);
  }
  Pieces stream("abcdef;", 2);
  BufferedReader in(stream);
  EXPECT_THROW(static_cast<void>(in.read_until(";", 6)), LimitExceeded);
  EXPECT_EQ(in.read_until(";", 7), "abcdef;");
  EXPECT_THROW(static_cast<void>(in.read_until("", 7)), std::invalid_argument);
}

TEST(buffered_reader, exact_counts) {
  for (std::size_t piece : {1, 3, 100000}) {
    const std::string big(200'000, 'y');
    Pieces stream("head" + big + "tail", piece);
    BufferedReader in(stream);
    EXPECT_EQ(in.read_exactly(4), "head");
    std::string body(big.size(), '\0');
    in.read_exactly(std::as_writable_bytes(std::span(body)));
    EXPECT_EQ(body == big, true);
    EXPECT_TRUE(in.read_exactly(0).empty());
    try {
      static_cast<void>(in.read_exactly(5));
      FAIL();
    } catch (const EndOfStream& error) {
      EXPECT_EQ(error.received(), 4U);
    }
    EXPECT_EQ(in.read_exactly(4), "tail");
  }
}

TEST(buffered_reader, memory_comes_with_the_bytes_and_not_with_the_claim) {
  Pieces stream("few", 100);
  BufferedReader in(stream);
  EXPECT_THROW(static_cast<void>(in.read_exactly(std::size_t{1} << 40)), EndOfStream);
  EXPECT_LE(stream.largest_read_, 64U * 1024);
}

TEST(buffered_reader, read_gives_what_is_there) {
  Pieces stream("abcdef", 4);
  BufferedReader in(stream);
  EXPECT_EQ(in.read(3), "abc");
  EXPECT_EQ(in.buffered(), "d");
  EXPECT_EQ(in.read(100), "d");
  EXPECT_EQ(in.read(100), "ef");
  EXPECT_TRUE(in.read(100).empty());
  EXPECT_TRUE(in.read(0).empty());
}

TEST(buffered_reader, at_end_looks_without_taking) {
  Pieces stream("ab", 1);
  BufferedReader in(stream);
  EXPECT_FALSE(in.at_end());
  EXPECT_EQ(in.read(10), "a");
  EXPECT_FALSE(in.at_end());
  EXPECT_EQ(in.read(10), "b");
  EXPECT_TRUE(in.at_end());
  EXPECT_TRUE(in.at_end());
}

TEST(buffered_reader, read_all_has_a_limit) {
  Pieces stream(std::string(100'000, 'z'), 777);
  BufferedReader in(stream);
  EXPECT_EQ(in.read_all(100'000).size(), 100'000U);
  Pieces more(std::string(100'001, 'z'), 777);
  BufferedReader limited(more);
  EXPECT_THROW(static_cast<void>(limited.read_all(100'000)), LimitExceeded);
}

TEST(buffered_writer, gathers_small_writes) {
  Pieces stream("", 1);
  BufferedWriter out(stream, 100);
  for (int i = 0; i < 9; ++i) out.write("0123456789");
  EXPECT_EQ(stream.writes_, 0);
  EXPECT_EQ(out.buffered(), 90U);
  out.flush();
  out.flush();
  EXPECT_EQ(stream.writes_, 1);
  out.write("x");
  out.write(std::string(1000, 'y'));
  EXPECT_EQ(stream.written_.size(), 1091U);
  EXPECT_EQ(out.buffered(), 0U);
}

TEST(buffered_writer, tied_reader_flushes_it_before_waiting) {
  Pieces stream("a\nb\n", 100);
  BufferedReader in(stream);
  BufferedWriter out(stream);
  in.tie(&out);
  while (const auto line = in.read_line()) out.write(*line);
  EXPECT_EQ(stream.written_, "a\nb\n");
  EXPECT_EQ(stream.writes_, 1);  // both lines had come together, so both answers go together
}

class reader_in : public testing::BothContexts {};
HAWSER_IN_BOTH_CONTEXTS(reader_in);

TEST_P(reader_in, timeout_loses_nothing) {
  in_context([] {
    auto [a, b] = socketpair();
    BufferedReader in(a);
    b.send_all("half ");
    a.set_timeout(5ms);
    EXPECT_THROW(static_cast<void>(in.read_line()), SocketTimeout);
    b.send_all("whole\n");
    EXPECT_EQ(in.read_line(), "half whole\n");
  });
}

std::string exactly(BufferedReader& in, std::size_t count) {
  std::string text(count, '\0');
  in.read_exactly(std::as_writable_bytes(std::span(text)));
  return text;
}

TEST_P(reader_in, an_exact_read_that_is_interrupted_has_taken_nothing) {
  in_context([] {
    for (const std::size_t size : {8U, 100'000U}) {  // through the buffer and past it
      const std::string first(size - 4, 'f');
      auto [a, b] = socketpair();
      BufferedReader in(a);
      b.send_all("head" + first);
      EXPECT_EQ(in.read_exactly(4), "head");
      a.set_timeout(5ms);
      EXPECT_THROW((void)exactly(in, size), SocketTimeout);
      a.set_timeout(10s);
      EXPECT_EQ(in.buffered() == first, true);
      {
        const Deadline budget(5ms);
        EXPECT_THROW((void)exactly(in, size), DeadlineExceeded);
      }
      b.send_all("rest, and more");
      EXPECT_EQ(exactly(in, size) == first + "rest", true);
      b.close();
      try {
        (void)exactly(in, size + 100);
        FAIL();
      } catch (const EndOfStream& error) {
        EXPECT_EQ(error.received(), 10U);
      }
      EXPECT_EQ(in.buffered(), ", and more");
      EXPECT_EQ(in.read_exactly(10), ", and more");
    }
  });
}

TEST(buffered_reader, an_exact_read_that_is_cancelled_has_taken_nothing) {
  run([] {
    for (const std::size_t size : {8U, 100'000U}) {
      auto [a, b] = socketpair();
      BufferedReader in(a);
      b.send_all("abcd");
      const auto reader = spawn([&] { (void)exactly(in, size); });
      yield();
      reader.kill();
      reader.join();
      EXPECT_TRUE(reader.cancelled());
      EXPECT_EQ(in.read_exactly(4), "abcd");
    }
  });
}

}  // namespace
}  // namespace hawser
