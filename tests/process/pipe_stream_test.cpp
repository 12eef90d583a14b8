#include <hawser/process/pipe_stream.h>

#include <stdexcept>
#include <string>
#include <thread>

#include <hawser/base/errors.h>
#include <hawser/fiber/task.h>

#include "process/contexts.h"

using namespace hawser;
using namespace hawser::testing;

namespace {

struct Ends {
  Ends() : Ends(make_pipe()) {}
  explicit Ends(std::pair<UniqueFd, UniqueFd> pipe)
      : reader(std::move(pipe.first), Direction::read, "reader"),
        writer(std::move(pipe.second), Direction::write, "writer") {}
  PipeStream reader;
  PipeStream writer;
};

}  // namespace

class PipeStreamInBoth : public InBoth {};
HAWSER_IN_BOTH(PipeStreamInBoth);

TEST_P(PipeStreamInBoth, carries_more_than_the_kernel_holds) {
  run_in(GetParam(), [] {
    Ends ends;
    const std::string text(1'000'000, 'x');
    std::thread writer([&] {
      ends.writer.write_all(text);
      ends.writer.shutdown_write();
    });
    std::size_t total = 0;
    std::byte chunk[10'000];
    while (const auto got = ends.reader.read_some(chunk)) total += got;
    EXPECT_EQ(total, text.size());
    EXPECT_EQ(ends.reader.read_some(chunk), 0U);
    writer.join();
  });
}

TEST_P(PipeStreamInBoth, writing_without_a_reader_is_an_error_and_no_signal) {
  run_in(GetParam(), [] {
    Ends ends;
    ends.reader.close();
    try {
      ends.writer.write_some("x");
      FAIL();
    } catch (const SystemError& error) {
      EXPECT_EQ(error.error_number(), EPIPE);
    }
  });
}

TEST_P(PipeStreamInBoth, try_read_and_try_write_never_wait) {
  run_in(GetParam(), [] {
    Ends ends;
    std::byte chunk[16];
    EXPECT_EQ(ends.reader.try_read(chunk), -1);
    EXPECT_EQ(ends.writer.try_write("abc"), 3);
    EXPECT_EQ(ends.reader.try_read(chunk), 3);
    const std::string block(65536, 'x');
    while (ends.writer.try_write(block) > 0) {
    }
    ends.writer.close();
    while (ends.reader.try_read(chunk) > 0) {
    }
    EXPECT_EQ(ends.reader.try_read(chunk), 0);
  });
}

TEST(pipe_stream, each_end_does_its_own) {
  Ends ends;
  std::byte c;
  EXPECT_THROW(static_cast<void>(ends.writer.read_some({&c, 1})), std::logic_error);
  EXPECT_THROW(ends.reader.write_some("x"), std::logic_error);
  EXPECT_THROW(ends.reader.shutdown_write(), std::logic_error);
}

TEST(pipe_stream, close_wakes_a_blocked_reader) {
  run([] {
    Ends ends;
    auto reader = spawn([&] {
      std::byte c;
      return ends.reader.read_some({&c, 1});
    });
    yield();
    ends.reader.close();
    EXPECT_THROW(reader.get(), SocketClosed);
  });
}
