// Much at once: every size, gathered parts, files.
#include <hawser/net/socket.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <vector>

#include <hawser/fiber/deadline.h>
#include <hawser/net/connect.h>
#include <hawser/net/listener.h>

#include "both_contexts.h"
#include "tcp_streams.h"

namespace hawser {
namespace {

using namespace std::chrono_literals;
using testing::pattern;
using testing::receive;
using testing::tcp_pair;

class transfer_in : public testing::BothContexts {};
HAWSER_IN_BOTH_CONTEXTS(transfer_in);

TEST_P(transfer_in, carries_every_size_through_tcp_and_unix) {
  in_context([this] {
    for (const std::size_t size :
         {std::size_t{1}, std::size_t{64 << 10}, std::size_t{1 << 20}, std::size_t{16 << 20}}) {
      for (const bool tcp : {true, false}) {
        auto [a, b] = tcp ? tcp_pair() : socketpair();
        const std::string data = pattern(size);
        auto sender = peer([&a = a, &data] {
          a.send_all(data);
          a.close();
        });
        EXPECT_EQ(receive(b, size + 1) == data, true) << size;
        sender.get();
      }
    }
  });
}

TEST_P(transfer_in, gathers_parts) {
  in_context([this] {
    auto [a, b] = tcp_pair();
    std::vector<std::string> texts;
    std::string all;
    for (std::size_t i = 0; i < 100; ++i) all += texts.emplace_back(pattern(i * i * 7));
    auto sender = peer([&a = a, &texts] {
      std::vector<BytesView> parts(texts.begin(), texts.end());
      a.send_all(parts);
      a.close();
    });
    EXPECT_EQ(receive(b, all.size() + 1) == all, true);
    sender.get();
  });
}

TEST_P(transfer_in, sends_a_part_of_a_file) {
  in_context([this] {
    const UniqueFd file(::memfd_create("file", MFD_CLOEXEC));
    const std::string data = pattern(5 << 20);
    ASSERT_EQ(::pwrite(file.get(), data.data(), data.size(), 0), static_cast<ssize_t>(data.size()));
    auto [a, b] = tcp_pair();
    auto sender = peer([&a = a, &file] {
      EXPECT_EQ(a.send_file(file.get(), 1000, 4 << 20), 4U << 20);
      EXPECT_EQ(a.send_file(file.get(), (5 << 20) - 10, 100), 10U);  // the file ends
      EXPECT_EQ(a.send_file(file.get(), 6 << 20, 100), 0U);
      EXPECT_EQ(a.send_file(file.get(), 0, 0), 0U);
      a.close();
    });
    EXPECT_EQ(receive(b, 6 << 20) == data.substr(1000, 4 << 20) + data.substr((5 << 20) - 10), true);
    sender.get();
  });
}

TEST_P(transfer_in, sends_files_from_a_disk) {
  in_context([this] {
    char path[] = "/var/tmp/hawser-send-file-XXXXXX";
    const UniqueFd file(::mkostemp(path, O_CLOEXEC));
    ASSERT_TRUE(file);
    ::unlink(path);
    const std::string data = pattern(3 << 20);
    ASSERT_EQ(::pwrite(file.get(), data.data(), data.size(), 0), static_cast<ssize_t>(data.size()));
    ::fdatasync(file.get());
    ::posix_fadvise(file.get(), 0, 0, POSIX_FADV_DONTNEED);
    auto [a, b] = tcp_pair();
    auto sender = peer([&a = a, &file, &data] {
      EXPECT_EQ(a.send_file(file.get(), 0, data.size()), data.size());
      a.close();
    });
    EXPECT_EQ(receive(b, data.size() + 1) == data, true);
    sender.get();
  });
}

// What the error of a call that is cut short says of the bytes before, the same in both of its ways.
std::uint64_t told(const std::function<void()>& call) {
  std::uint64_t count = 0;
  std::string words;
  const auto take = [&](std::uint64_t said, const std::exception& error) {
    count = said;
    words = error.what();
  };
  try {
    call();
  } catch (const WouldBlock& error) {
    take(error.sent(), error);
  } catch (const SocketClosed& error) {
    take(error.transferred(), error);
  } catch (const SocketTimeout& error) {
    take(error.transferred(), error);
  } catch (const DeadlineExceeded& error) {
    take(error.transferred(), error);
  } catch (const Cancelled& error) {
    take(error.transferred(), error);
  }
  EXPECT_GT(count, 0U);
  EXPECT_TRUE(words.ends_with(" after " + std::to_string(count) + " bytes")) << words;
  return count;
}

// More than goes out while nobody reads, by each call that sends all.
struct Much {
  Much() { EXPECT_EQ(::ftruncate(file.get(), kSize), 0); }
  [[nodiscard]] std::vector<std::function<void(Socket&)>> ways() const {
    return {[this](Socket& socket) { socket.send_all(text); },
            [this](Socket& socket) { socket.send_all(std::vector<BytesView>(64, BytesView(text).first(1 << 20))); },
            [this](Socket& socket) { socket.send_file(file.get(), 0, kSize); }};
  }
  static constexpr std::size_t kSize = 64 << 20;
  const std::string text = std::string(kSize, 'x');
  const UniqueFd file{::memfd_create("much", MFD_CLOEXEC)};
};

TEST_P(transfer_in, whatever_cuts_it_short_tells_how_much_had_gone) {
  in_context([this] {
    const Much much;
    for (const auto& send : much.ways()) {
      {
        auto [a, b] = tcp_pair();
        a.set_blocking(false);
        const std::uint64_t count = told([&, &a = a] { send(a); });
        a.close();
        EXPECT_EQ(receive(b, Much::kSize).size(), count);
      }
      {
        auto [a, b] = tcp_pair();
        a.set_timeout(20ms);
        const std::uint64_t count = told([&, &a = a] { send(a); });
        a.close();
        EXPECT_EQ(receive(b, Much::kSize).size(), count);
      }
      {
        auto [a, b] = tcp_pair();
        const std::uint64_t count = told([&, &a = a] {
          const Deadline budget(20ms);
          send(a);
        });
        a.close();
        EXPECT_EQ(receive(b, Much::kSize).size(), count);
      }
      {
        auto [a, b] = tcp_pair();
        std::uint64_t count = 0;
        auto sender = peer([&, &a = a] { count = told([&] { send(a); }); });
        std::size_t begun = b.recv(1000).size();
        a.close();
        sender.get();
        EXPECT_EQ(begun + receive(b, Much::kSize).size(), count);
      }
    }
  });
}

TEST(transfer, cancellation_tells_how_much_had_gone) {
  run([] {
    const Much much;
    for (const auto& send : much.ways()) {
      auto [a, b] = tcp_pair();
      std::uint64_t count = 0;
      auto sender = spawn([&, &a = a] { count = told([&] { send(a); }); });
      std::size_t begun = b.recv(1000).size();
      sender.kill();
      sender.join();
      a.close();
      EXPECT_EQ(begun + receive(b, Much::kSize).size(), count);
    }
  });
}

TEST_P(transfer_in, send_file_of_a_pipe_is_refused) {
  in_context([] {
    int fds[2];
    ASSERT_EQ(::pipe2(fds, O_CLOEXEC), 0);
    const UniqueFd read_end(fds[0]), write_end(fds[1]);
    auto [a, b] = tcp_pair();
    EXPECT_THROW(a.send_file(read_end.get(), 0, 10), SystemError);
  });
}

}  // namespace
}  // namespace hawser
