#include <hawser/net/socket.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <vector>

#include <hawser/fiber/deadline.h>
#include <hawser/net/connect.h>
#include <hawser/net/listener.h>

#include "both_contexts.h"

namespace hawser {
namespace {

using namespace std::chrono_literals;

class socket_in : public testing::BothContexts {};
HAWSER_IN_BOTH_CONTEXTS(socket_in);

std::pair<Socket, Socket> tcp_pair() {
  Listener listener({"127.0.0.1", 0});
  Socket client = connect(listener.address());
  return {std::move(client), listener.accept()};
}

// Bytes that tell when they are mixed up, cheap enough for sanitizers.
std::string pattern(std::size_t size) {
  std::vector<std::uint64_t> words(size / 8 + 1);
  for (std::uint64_t i = 0; auto& word : words) word = ++i * 0x9E3779B97F4A7C15;
  std::string bytes(size, '\0');
  std::memcpy(bytes.data(), words.data(), size);
  return bytes;
}

std::string receive(Socket& socket, std::size_t size) {
  std::string all;
  while (all.size() < size) {
    const Bytes some = socket.recv(1 << 20);
    if (!some) break;
    all += some.view();
  }
  return all;
}

TEST_P(socket_in, sends_and_receives) {
  in_context([] {
    auto [a, b] = tcp_pair();
    a.send_all("hello");
    EXPECT_EQ(b.recv(1024), "hello");
    b.send_all("there");
    EXPECT_EQ(a.recv(2), "th");
    EXPECT_EQ(a.recv(1024), "ere");
  });
}

TEST_P(socket_in, end_of_stream_is_empty_again_and_again) {
  in_context([] {
    auto [a, b] = tcp_pair();
    a.send_all("last");
    a.close();
    EXPECT_EQ(b.recv(1024), "last");
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(b.recv(1024).empty());
  });
}

TEST_P(socket_in, end_that_comes_with_the_last_bytes_is_seen_while_writing) {
  in_context([this] {
    auto [a, b] = tcp_pair();
    // The reader waits; bytes and end arrive together; a write of the same socket must not hide the end.
    auto reader = peer([&b = b] {
      EXPECT_EQ(receive(b, 100), "last");
      EXPECT_TRUE(b.recv(1).empty());
    });
    a.send_all("last");
    a.shutdown_write();
    b.set(option::send_buffer, 4096);
    while (b.try_send(std::string(1 << 20, 'x'))) {
    }
    reader.get();
  });
}

TEST_P(socket_in, recv_of_nothing_is_empty_at_once) {
  in_context([] {
    auto [a, b] = socketpair();
    EXPECT_TRUE(a.recv(0).empty());
    EXPECT_EQ(a.recv_into({}), 0U);
  });
}

TEST_P(socket_in, waits_for_what_comes_later) {
  in_context([this] {
    auto [a, b] = tcp_pair();
    auto reader = peer([&b = b] { EXPECT_EQ(b.recv(10), "later"); });
    yield();
    a.send_all("later");
    reader.get();
  });
}

TEST_P(socket_in, answers_in_both_directions_at_once) {
  in_context([this] {
    auto [a, b] = tcp_pair();
    const std::string data = pattern(4 << 20);
    auto echo = peer([&b = b] {
      while (Bytes some = b.recv(64 * 1024)) b.send_all(some);
      b.shutdown_write();
    });
    auto sender = peer([&a = a, &data] {
      a.send_all(data);
      a.shutdown_write();
    });
    EXPECT_EQ(receive(a, data.size() + 1), data);
    sender.get();
    echo.get();
  });
}

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

TEST_P(transfer_in, send_file_of_a_pipe_is_refused) {
  in_context([] {
    int fds[2];
    ASSERT_EQ(::pipe2(fds, O_CLOEXEC), 0);
    const UniqueFd read_end(fds[0]), write_end(fds[1]);
    auto [a, b] = tcp_pair();
    EXPECT_THROW(a.send_file(read_end.get(), 0, 10), SystemError);
  });
}

TEST_P(socket_in, try_calls_never_wait) {
  in_context([] {
    auto [a, b] = socketpair();
    EXPECT_FALSE(a.try_recv(10));
    EXPECT_EQ(b.try_send("x"), 1U);
    EXPECT_EQ(a.try_recv(10), Bytes("x"));
    const std::string much(1 << 20, 'x');
    std::size_t sent = 0;
    while (const auto some = b.try_send(much)) sent += *some;
    EXPECT_EQ(receive(a, sent).size(), sent);
    b.close();
    EXPECT_EQ(a.try_recv(10), Bytes());
  });
}

TEST_P(socket_in, send_may_be_partial) {
  in_context([this] {
    auto [a, b] = tcp_pair();
    const std::string much(32 << 20, 'x');
    const std::size_t sent = a.send(much);
    EXPECT_GT(sent, 0U);
    EXPECT_LT(sent, much.size());
    auto reader = peer([&b = b, sent] { EXPECT_EQ(receive(b, sent).size(), sent); });
    reader.get();
    EXPECT_EQ(a.send(""), 0U);
  });
}

TEST_P(socket_in, timeout_is_its_own_error) {
  in_context([] {
    auto [a, b] = socketpair();
    a.set_timeout(1ms);
    EXPECT_THROW(a.recv(1), SocketTimeout);
    EXPECT_EQ(a.timeout(), Timeout(1ms));
    // A SocketTimeout is neither of the other two.
    try {
      a.recv(1);
    } catch (const std::runtime_error& error) {
      EXPECT_EQ(dynamic_cast<const DeadlineExceeded*>(&error), nullptr);
      EXPECT_EQ(dynamic_cast<const Cancelled*>(&error), nullptr);
    }
    b.send_all("x");
    EXPECT_EQ(a.recv(1), "x");
  });
}

TEST_P(socket_in, deadline_scope_ends_a_wait_and_is_named) {
  in_context([] {
    auto [a, b] = socketpair();
    a.set_timeout(1h);
    Deadline budget(1ms, "fetch");
    try {
      a.recv(1);
      FAIL();
    } catch (const DeadlineExceeded& error) {
      EXPECT_NE(std::string(error.what()).find("fetch"), std::string::npos) << error.what();
    }
  });
}

TEST_P(socket_in, nearest_of_timeout_and_deadline_wins) {
  in_context([] {
    auto [a, b] = socketpair();
    a.set_timeout(1ms);
    Deadline budget(1h);
    EXPECT_THROW(a.recv(1), SocketTimeout);
  });
}

TEST_P(socket_in, zero_timeout_polls) {
  in_context([] {
    auto [a, b] = socketpair();
    a.set_blocking(false);
    EXPECT_THROW(a.recv(1), WouldBlock);
    b.send_all("x");
    EXPECT_EQ(a.recv(1), "x");
    a.set_blocking(true);
    EXPECT_EQ(a.timeout(), std::nullopt);
    EXPECT_THROW(a.set_timeout(-1s), std::invalid_argument);
  });
}

TEST_P(socket_in, timeout_of_send_all_is_its_whole_budget_and_tells_what_went) {
  in_context([] {
    auto [a, b] = tcp_pair();
    a.set_timeout(5ms);
    try {
      a.send_all(std::string(64 << 20, 'x'));
      FAIL();
    } catch (const SocketTimeout& error) {
      EXPECT_GT(error.transferred(), 0U);
      EXPECT_EQ(receive(b, error.transferred()).size(), error.transferred());
    }
  });
}

TEST_P(socket_in, idle_timeout_ends_stalls_only) {
  in_context([this] {
    auto [a, b] = tcp_pair();
    a.set_idle_timeout(250ms);
    auto slow = peer([&b = b] {
      for (int i = 0; i < 30; ++i) {  // longer in all than the idle timeout
        sleep(10ms);
        b.send_all("x");
      }
    });
    EXPECT_EQ(receive(a, 30).size(), 30U);
    EXPECT_THROW(a.recv(1), SocketTimeout);
    slow.get();
  });
}

TEST_P(socket_in, failed_send_all_tells_how_much_had_gone) {
  in_context([this] {
    auto [a, b] = tcp_pair();
    auto sender = peer([&a = a] {
      try {
        a.send_all(std::string(64 << 20, 'x'));
        FAIL();
      } catch (const SendError& error) {
        EXPECT_GT(error.sent(), 0U);
        EXPECT_LT(error.sent(), 64U << 20);
        EXPECT_NE(std::string(error.what()).find("bytes"), std::string::npos);
      }
    });
    ASSERT_EQ(b.recv(1000).empty(), false);
    b.close();  // with unread bytes: a reset
    sender.get();
  });
}

TEST_P(socket_in, reset_by_peer_names_the_peer) {
  in_context([] {
    auto [a, b] = tcp_pair();
    const std::string name = a.sock_name().str();
    a.set(option::linger, option::Linger{.on = true});
    a.close();
    try {
      b.recv(1);
      FAIL();
    } catch (const SystemError& error) {
      EXPECT_EQ(error.error_number(), ECONNRESET);
      EXPECT_EQ(error.what(), "recv " + name + ": Connection reset by peer");
    }
  });
}

TEST_P(socket_in, sigpipe_never_kills) {
  in_context([] {
    auto [a, b] = socketpair();
    b.close();
    EXPECT_THROW(a.send_all("x"), SystemError);
    const UniqueFd file(::memfd_create("file", MFD_CLOEXEC));
    ASSERT_EQ(::pwrite(file.get(), "abc", 3, 0), 3);
    EXPECT_THROW(a.send_file(file.get(), 0, 3), SendError);
  });
}

TEST_P(socket_in, urgent_data_in_line_is_really_readable) {
  in_context([] {
    auto [a, b] = tcp_pair();
    b.set(option::oob_inline, true);
    EXPECT_TRUE(b.get(option::oob_inline));
    for (int round = 0; round < 20; ++round) {
      a.send_all("abc");
      a.send_urgent('!');
      a.send_all("def");
      EXPECT_EQ(receive(b, 3), "abc");
      EXPECT_TRUE(b.at_mark());
      EXPECT_EQ(b.recv_urgent(), std::nullopt);  // it is in line
      EXPECT_EQ(b.recv(1), "!");
      EXPECT_FALSE(b.at_mark());
      EXPECT_EQ(receive(b, 3), "def");
    }
  });
}

TEST_P(socket_in, urgent_data_out_of_line_is_apart) {
  in_context([] {
    auto [a, b] = tcp_pair();
    EXPECT_EQ(b.recv_urgent(), std::nullopt);
    a.send_all("abc");
    a.send_urgent('!');
    a.send_all("def");
    EXPECT_EQ(receive(b, 3), "abc");
    EXPECT_EQ(b.recv_urgent(), '!');
    EXPECT_EQ(b.recv_urgent(), std::nullopt);
    EXPECT_EQ(receive(b, 3), "def");
    EXPECT_THROW(static_cast<void>(Socket(AF_INET, SOCK_DGRAM).at_mark()), SystemError);
  });
}

// A reader that waits between the pieces must not take the stop before the urgent byte for the end of what has come.
TEST_P(socket_in, urgent_data_never_leaves_a_reader_waiting) {
  in_context([this] {
    for (const bool in_line : {false, true}) {
      auto [a, b] = tcp_pair();
      b.set(option::oob_inline, in_line);
      constexpr int kRounds = 300;
      auto reader = peer([&b = b, in_line] {
        std::size_t got = 0;
        while (got < kRounds * (in_line ? 7U : 6U)) got += b.recv(1000).size();
      });
      for (int round = 0; round < kRounds; ++round) {
        a.send_all("abc");
        a.send_urgent('!');
        a.send_all("def");
        if (round % 3 == 0) yield();
      }
      if (!in_line) a.shutdown_write();  // a newer urgent byte puts the older one back into the stream
      reader.get();
    }
  });
}

TEST_P(socket_in, close_is_idempotent) {
  in_context([] {
    auto [a, b] = socketpair();
    a.close();
    a.close();
    EXPECT_TRUE(a.closed());
    EXPECT_EQ(a.fileno(), -1);
    EXPECT_THROW(a.recv(1), SocketClosed);
    EXPECT_THROW(a.send_all("x"), SocketClosed);
    EXPECT_THROW(a.shutdown(), SocketClosed);
    EXPECT_THROW(a.set_no_delay(true), SocketClosed);
  });
}

TEST_P(socket_in, moved_from_is_closed) {
  in_context([] {
    auto [a, b] = socketpair();
    Socket c = std::move(a);
    EXPECT_TRUE(a.closed());  // NOLINT(bugprone-use-after-move)
    EXPECT_THROW(a.recv(1), SocketClosed);
    c.send_all("x");
    EXPECT_EQ(b.recv(1), "x");
    EXPECT_THROW(Socket().recv(1), SocketClosed);
  });
}

TEST_P(socket_in, close_wakes_a_blocked_reader) {
  in_context([this] {
    auto [a, b] = socketpair();
    auto reader = peer([&a = a] { static_cast<void>(a.recv(1)); });
    yield();
    a.close();
    EXPECT_THROW(reader.get(), SocketClosed);
  });
}

TEST_P(socket_in, close_wakes_a_blocked_writer) {
  in_context([this] {
    auto [a, b] = socketpair();
    auto writer = peer([&a = a] { a.send_all(std::string(64 << 20, 'x')); });
    yield();
    a.close();
    EXPECT_THROW(writer.get(), SocketClosed);
  });
}

// As close() does: a task that was killed, and not joined, still leaves its call.
TEST(socket, destruction_wakes_a_blocked_reader_and_sees_it_out) {
  run([] {
    for (const bool killed : {false, true}) {
      auto [a, b] = socketpair();
      auto reader = spawn([&b = b] { static_cast<void>(b.recv(1)); });
      yield();
      if (killed) reader.kill();
      b = Socket();
      EXPECT_TRUE(reader.ready());
      EXPECT_THROW(reader.get(), SocketClosed);
    }
  });
}

TEST_P(socket_in, close_against_read_thousands_of_times) {
  in_context([this] {
    for (int round = 0; round < 2000; ++round) {
      auto [a, b] = socketpair();
      auto reader = peer([&a = a] {
        try {
          while (a.recv(1)) {
          }
          ADD_FAILURE() << "the end of a stream that did not end";
        } catch (const SocketClosed&) {
        }
      });
      if (round % 3 == 0) yield();
      b.send_all("xy");
      a.close();
      reader.get();
    }
  });
}

TEST_P(socket_in, two_readers_are_a_programming_error) {
  in_context([this] {
    auto [a, b] = socketpair();
    std::atomic<bool> refused = false;
    const auto read = [&a = a, &refused](auto call) {
      try {
        return call();
      } catch (const std::logic_error& error) {
        EXPECT_NE(std::string(error.what()).find("two readers"), std::string::npos);
        refused = true;
        return Bytes();
      }
    };
    auto other = peer([&a = a, &read] {
      while (read([&a] { return a.recv(1); }).empty()) {
      }
    });
    while (!refused) {  // whichever of the two comes second
      read([&a = a] { return a.try_recv(1).value_or(Bytes()); });
      yield();
    }
    b.send_all("x");
    other.get();
  });
}

TEST_P(socket_in, shutdown_twice_is_fine_and_unconnected_is_not) {
  in_context([] {
    auto [a, b] = tcp_pair();
    a.shutdown(Shutdown::write);
    a.shutdown(Shutdown::write);
    EXPECT_TRUE(b.recv(1).empty());
    Socket alone(AF_INET);
    try {
      alone.shutdown();
      FAIL();
    } catch (const SystemError& error) {
      EXPECT_EQ(error.error_number(), ENOTCONN);
    }
  });
}

TEST_P(socket_in, detach_gives_up_the_descriptor_open) {
  in_context([] {
    auto [a, b] = socketpair();
    const int number = a.fileno();
    const UniqueFd fd = a.detach();
    EXPECT_EQ(fd.get(), number);
    EXPECT_TRUE(a.closed());
    EXPECT_EQ(::send(fd.get(), "x", 1, 0), 1);
    EXPECT_EQ(b.recv(1), "x");
  });
}

TEST_P(socket_in, adoption_finds_out_what_it_is) {
  in_context([] {
    Socket made(AF_INET6, SOCK_STREAM);
    Socket adopted(made.detach());
    EXPECT_EQ(adopted.family(), AF_INET6);
    EXPECT_EQ(adopted.type(), SOCK_STREAM);
    EXPECT_EQ(adopted.protocol(), IPPROTO_TCP);
    EXPECT_NE(::fcntl(adopted.fileno(), F_GETFD) & FD_CLOEXEC, 0);
    const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    try {
      Socket socket(duplicate(null.get()));
      FAIL();
    } catch (const SystemError& error) {
      EXPECT_EQ(error.error_number(), ENOTSOCK);
    }
    EXPECT_THROW(Socket(UniqueFd(-1)), SystemError);
    EXPECT_THROW(Socket(12345, 1), SystemError);
  });
}

TEST_P(socket_in, names_both_ends) {
  in_context([] {
    auto [a, b] = tcp_pair();
    EXPECT_EQ(a.peer_name(), b.sock_name());
    EXPECT_EQ(b.peer(), a.sock_name().str());
    EXPECT_EQ(socketpair().first.peer(), "(unnamed)");
    Socket alone(AF_INET);
    EXPECT_THROW(static_cast<void>(alone.peer_name()), SystemError);
  });
}

TEST(socket_cancellation, ends_a_wait_and_loses_nothing) {
  run([] {
    auto [a, b] = socketpair();
    auto reader = spawn([&a = a] { static_cast<void>(a.recv(1)); });
    yield();
    reader.kill();
    EXPECT_THROW(reader.get(), Cancelled);
    EXPECT_TRUE(reader.cancelled());
    b.send_all("kept");
    EXPECT_EQ(a.recv(10), "kept");
  });
}

TEST(socket_across_loops, is_read_on_one_and_written_and_closed_on_another) {
  run({.loops = 2}, [] {
    for (int round = 0; round < 500; ++round) {
      auto [a, b] = socketpair();
      auto reader = spawn_on(1, [&a = a] {
        EXPECT_EQ(a.recv(1), "x");
        a.send_all("y");
        EXPECT_THROW(a.recv(1), SocketClosed);
      });
      b.send_all("x");
      EXPECT_EQ(b.recv(1), "y");
      a.close();
      reader.get();
    }
  });
}

}  // namespace
}  // namespace hawser
