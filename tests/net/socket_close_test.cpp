// A socket that goes while somebody uses it.
#include <hawser/net/socket.h>

#include <hawser/net/connect.h>
#include <hawser/net/listener.h>

#include "both_contexts.h"
#include "tcp_streams.h"

namespace hawser {
namespace {

using namespace std::chrono_literals;

class socket_close_in : public testing::BothContexts {};
HAWSER_IN_BOTH_CONTEXTS(socket_close_in);

TEST_P(socket_close_in, close_is_idempotent) {
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

TEST_P(socket_close_in, moved_from_is_closed) {
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

TEST_P(socket_close_in, close_wakes_a_blocked_reader) {
  in_context([this] {
    auto [a, b] = socketpair();
    auto reader = peer([&a = a] { static_cast<void>(a.recv(1)); });
    yield();
    a.close();
    EXPECT_THROW(reader.get(), SocketClosed);
  });
}

TEST_P(socket_close_in, close_wakes_a_blocked_writer) {
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

TEST_P(socket_close_in, close_against_read_thousands_of_times) {
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

// close(2) waits for the peer to take what was sent; the other fibers do not.
TEST(socket_linger, holds_up_the_fiber_that_closes_and_no_other) {
  run({.loops = 1}, [] {
    Listener listener({"127.0.0.1", 0});
    listener.socket().set(option::linger, option::Linger{.on = true, .wait = 100s});
    for (const bool adopted : {false, true}) {
      Socket peer = connect(listener.address());
      Socket slow = listener.accept();
      if (adopted) slow = Socket(slow.detach());
      slow.set_blocking(false);
      const std::string piece(1 << 16, 'x');
      while (slow.try_send(piece)) {
      }
      bool closed = false;
      const auto closing = spawn([&] {
        slow.close();
        closed = true;
      });
      sleep(5ms);
      EXPECT_FALSE(closed);
      EXPECT_TRUE(slow.closed());
      while (peer.recv(1 << 20)) {
      }
      closing.join();
    }
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
