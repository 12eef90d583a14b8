#include <hawser/net/socket.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

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

class socket_in : public testing::BothContexts {};
HAWSER_IN_BOTH_CONTEXTS(socket_in);

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

// TCP knows nothing any more of a connection that has ended both ways.
TEST_P(socket_in, shutdown_is_fine_once_the_peer_has_closed) {
  in_context([] {
    for (const bool accepted : {false, true}) {
      auto [connected, other] = tcp_pair();
      Socket& a = accepted ? other : connected;
      Socket& b = accepted ? connected : other;
      a.shutdown(Shutdown::write);
      b.close();
      EXPECT_TRUE(a.recv(1).empty());
      EXPECT_NO_THROW(a.shutdown(Shutdown::write));
      EXPECT_NO_THROW(a.shutdown());
    }
  });
}

TEST_P(socket_in, shutdown_is_fine_after_a_reset) {
  in_context([] {
    auto [a, b] = tcp_pair();
    Socket adopted(b.detach());
    Socket quick(AF_INET);
    Listener listener({"127.0.0.1", 0});
    quick.set_blocking(false);
    ASSERT_EQ(quick.connect_ex(listener.address()), EINPROGRESS);
    quick.set_blocking(true);
    Socket c = listener.accept(10s);  // and quick is connected, though no call of its has said so
    for (Socket* const one : {&a, &c}) {
      one->set(option::linger, option::Linger{.on = true});
      one->close();
    }
    for (Socket* const one : {&adopted, &quick}) {
      EXPECT_THROW(one->recv(1), SystemError);
      EXPECT_NO_THROW(one->shutdown());
      EXPECT_NO_THROW(one->shutdown());
    }
  });
}

TEST_P(socket_in, shutdown_of_one_that_was_refused_is_an_error) {
  in_context([] {
    const Address nobody = Listener({"127.0.0.1", 0}).address();
    Socket socket(AF_INET);
    EXPECT_EQ(socket.connect_ex(nobody), ECONNREFUSED);
    try {
      socket.shutdown();
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

TEST_P(socket_in, flags_beside_the_type_do_not_change_it) {
  in_context([] {
    for (const int flags : std::initializer_list<int>{SOCK_CLOEXEC, SOCK_NONBLOCK, SOCK_CLOEXEC | SOCK_NONBLOCK}) {
      Listener listener({"127.0.0.1", 0});
      Socket a(AF_INET, SOCK_STREAM | flags);
      EXPECT_EQ(a.type(), SOCK_STREAM);
      EXPECT_EQ(a.timeout(), flags & SOCK_NONBLOCK ? Timeout(0s) : Timeout());
      a.set_blocking(true);
      a.connect(listener.address());
      Socket b = listener.accept(10s);
      b.send_all("hello world");
      EXPECT_EQ(receive(a, 11), "hello world");
      EXPECT_EQ(Socket(AF_INET, SOCK_DGRAM | flags).type(), SOCK_DGRAM);
      EXPECT_EQ(socketpair(SOCK_STREAM | flags).first.timeout(), flags & SOCK_NONBLOCK ? Timeout(0s) : Timeout());
    }
    Socket listening(AF_INET, SOCK_STREAM | SOCK_CLOEXEC);
    listening.bind(Address::ip("127.0.0.1", 0));
    listening.listen();
    EXPECT_NO_THROW(Listener{std::move(listening)});
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

}  // namespace
}  // namespace hawser
