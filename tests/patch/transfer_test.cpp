// Calls that move bytes: they wait where a thread would, in the loop, and leave the descriptor as it is.
#include <poll.h>
#include <sys/uio.h>
#include <sys/un.h>

#include <cerrno>
#include <string>
#include <vector>

#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>
#include <hawser/fiber/task_group.h>
#include <hawser/sync/event.h>

#include "patch/ends.h"

namespace hawser {
namespace {

using namespace std::chrono_literals;
using testing::Ends;

// Runs body in a fiber beside one that has to get its turn meanwhile, or nothing ever comes.
void with_other(const std::function<void()>& body, const std::function<void()>& other) {
  run([&] {
    TaskGroup group;
    group.spawn(body);
    group.spawn(other);
    group.join();
  });
}

ssize_t by_read(int fd, char* into, std::size_t size) { return ::read(fd, into, size); }
ssize_t by_readv(int fd, char* into, std::size_t size) {
  const iovec parts[2] = {{into, 1}, {into + 1, size - 1}};
  return ::readv(fd, parts, 2);
}
ssize_t by_recv(int fd, char* into, std::size_t size) { return ::recv(fd, into, size, 0); }
ssize_t by_recvfrom(int fd, char* into, std::size_t size) { return ::recvfrom(fd, into, size, 0, nullptr, nullptr); }
ssize_t by_recvmsg(int fd, char* into, std::size_t size) {
  iovec part{into, size};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  return ::recvmsg(fd, &message, 0);
}
ssize_t by_write(int fd, const char* from, std::size_t size) { return ::write(fd, from, size); }
ssize_t by_writev(int fd, const char* from, std::size_t size) {
  const iovec parts[2] = {{const_cast<char*>(from), 1}, {const_cast<char*>(from) + 1, size - 1}};
  return ::writev(fd, parts, 2);
}
ssize_t by_send(int fd, const char* from, std::size_t size) { return ::send(fd, from, size, MSG_NOSIGNAL); }
ssize_t by_sendto(int fd, const char* from, std::size_t size) { return ::sendto(fd, from, size, 0, nullptr, 0); }
ssize_t by_sendmsg(int fd, const char* from, std::size_t size) {
  iovec part{const_cast<char*>(from), size};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  return ::sendmsg(fd, &message, 0);
}

struct Reader {
  const char* name;
  ssize_t (*read)(int, char*, std::size_t);
  bool on_pipes;
};
struct Writer {
  const char* name;
  ssize_t (*write)(int, const char*, std::size_t);
  bool on_pipes;
};
constexpr Reader kReaders[] = {{"read", by_read, true},
                               {"readv", by_readv, true},
                               {"recv", by_recv, false},
                               {"recvfrom", by_recvfrom, false},
                               {"recvmsg", by_recvmsg, false}};
constexpr Writer kWriters[] = {{"write", by_write, true},
                               {"writev", by_writev, true},
                               {"send", by_send, false},
                               {"sendto", by_sendto, false},
                               {"sendmsg", by_sendmsg, false}};

TEST(patched_reading, yields_until_something_comes) {
  for (const Reader& reader : kReaders) {
    for (const bool pipes : {false, true}) {
      if (pipes && !reader.on_pipes) continue;
      const Ends ends = pipes ? testing::pipe_ends() : testing::socket_ends();
      SCOPED_TRACE(reader.name);
      with_other(
          [&] {
            char got[16];
            errno = 77;
            EXPECT_EQ(reader.read(ends.a.get(), got, sizeof got), 5);
            EXPECT_EQ(errno, 77);
            EXPECT_EQ(std::string(got, 5), "hello");
            EXPECT_TRUE(testing::is_blocking(ends.a.get()));
          },
          [&] { EXPECT_EQ(::write(ends.b.get(), "hello", 5), 5); });
    }
  }
}

TEST(patched_reading, sees_the_end) {
  for (const bool pipes : {false, true}) {
    Ends ends = pipes ? testing::pipe_ends() : testing::socket_ends();
    with_other(
        [&] {
          char byte;
          EXPECT_EQ(::read(ends.a.get(), &byte, 1), 0);
          EXPECT_EQ(::read(ends.a.get(), &byte, 1), 0);
        },
        [&] { ends.b.reset(); });
  }
}

TEST(patched_reading, does_not_wait_where_the_program_does_not) {
  const Ends ends = testing::socket_ends(SOCK_STREAM | SOCK_NONBLOCK);
  const Ends pipes = testing::pipe_ends();
  set_nonblocking(pipes.a.get(), true);
  run([&] {
    char byte;
    EXPECT_EQ(::read(ends.a.get(), &byte, 1), -1);
    EXPECT_EQ(errno, EAGAIN);
    EXPECT_EQ(::recv(ends.a.get(), &byte, 1, 0), -1);
    EXPECT_EQ(errno, EAGAIN);
    EXPECT_EQ(::read(pipes.a.get(), &byte, 1), -1);
    EXPECT_EQ(errno, EAGAIN);
    set_nonblocking(ends.a.get(), false);
    EXPECT_EQ(::recv(ends.a.get(), &byte, 1, MSG_DONTWAIT), -1);
    EXPECT_EQ(errno, EAGAIN);
  });
}

TEST(patched_reading, ends_after_SO_RCVTIMEO) {
  const Ends ends = testing::socket_ends();
  testing::set_timeout(ends.a.get(), SO_RCVTIMEO, 20);
  run([&] {
    char byte;
    EXPECT_EQ(::recv(ends.a.get(), &byte, 1, 0), -1);
    EXPECT_EQ(errno, EAGAIN);
  });
}

TEST(patched_reading, gathers_all_that_MSG_WAITALL_asks_for) {
  const Ends ends = testing::socket_ends();
  with_other(
      [&] {
        char got[8];
        EXPECT_EQ(::recv(ends.a.get(), got, 8, MSG_WAITALL), 8);
        EXPECT_EQ(std::string(got, 8), "abcdefgh");
        EXPECT_EQ(::recv(ends.a.get(), got, 8, MSG_WAITALL), 2);  // cut by the end
      },
      [&] {
        for (const char* part : {"ab", "cde", "fgh", "ij"}) {
          ::send(ends.b.get(), part, std::string_view(part).size(), 0);
          sleep(2ms);
        }
        ::shutdown(ends.b.get(), SHUT_WR);
      });
}

TEST(patched_reading, leaves_datagrams_whole_and_tells_their_sender) {
  const UniqueFd a(::socket(AF_INET, SOCK_DGRAM, 0));
  const UniqueFd b(::socket(AF_INET, SOCK_DGRAM, 0));
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof name;
  ASSERT_EQ(::bind(a.get(), reinterpret_cast<sockaddr*>(&name), size), 0);
  ASSERT_EQ(::getsockname(a.get(), reinterpret_cast<sockaddr*>(&name), &size), 0);
  with_other(
      [&] {
        char got[4];
        sockaddr_in from{};
        socklen_t length = sizeof from;
        EXPECT_EQ(::recvfrom(a.get(), got, sizeof got, MSG_WAITALL, reinterpret_cast<sockaddr*>(&from), &length), 3);
        EXPECT_EQ(length, sizeof from);
        EXPECT_EQ(from.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
        EXPECT_EQ(::recvfrom(a.get(), got, sizeof got, MSG_TRUNC, nullptr, nullptr), 10);
      },
      [&] {
        EXPECT_EQ(::sendto(b.get(), "one", 3, 0, reinterpret_cast<sockaddr*>(&name), size), 3);
        EXPECT_EQ(::sendto(b.get(), "0123456789", 10, 0, reinterpret_cast<sockaddr*>(&name), size), 10);
      });
}

TEST(patched_reading, hands_descriptors_over) {
  const Ends ends = testing::socket_ends();
  with_other(
      [&] {
        char byte;
        iovec part{&byte, 1};
        alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
        msghdr message{};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        ASSERT_EQ(::recvmsg(ends.a.get(), &message, MSG_CMSG_CLOEXEC), 1);
        const cmsghdr* header = CMSG_FIRSTHDR(&message);
        ASSERT_NE(header, nullptr);
        const UniqueFd got(*reinterpret_cast<const int*>(CMSG_DATA(header)));
        EXPECT_GE(::fcntl(got.get(), F_GETFD), 0);
      },
      [&] {
        char byte = 'x';
        iovec part{&byte, 1};
        alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
        msghdr message{};
        message.msg_iov = &part;
        message.msg_iovlen = 1;
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        cmsghdr* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        *reinterpret_cast<int*>(CMSG_DATA(header)) = STDIN_FILENO;
        EXPECT_EQ(::sendmsg(ends.b.get(), &message, 0), 1);
      });
}

TEST(patched_writing, yields_until_all_has_gone) {
  constexpr std::size_t kSize = 3'000'000;
  for (const Writer& writer : kWriters) {
    for (const bool pipes : {false, true}) {
      if (pipes && !writer.on_pipes) continue;
      const Ends ends = pipes ? testing::pipe_ends() : testing::socket_ends();
      SCOPED_TRACE(writer.name);
      std::string sent(kSize, '\0');
      for (std::size_t i = 0; i < kSize; ++i) sent[i] = static_cast<char>(i * 31 >> 3);
      std::string got;
      with_other(
          [&] {
            EXPECT_EQ(writer.write(ends.b.get(), sent.data(), sent.size()), static_cast<ssize_t>(kSize));
            EXPECT_TRUE(testing::is_blocking(ends.b.get()));
          },
          [&] {
            std::vector<char> piece(100'000);
            while (got.size() < kSize) {
              const ssize_t size = ::read(ends.a.get(), piece.data(), piece.size());
              ASSERT_GT(size, 0);
              got.append(piece.data(), static_cast<std::size_t>(size));
            }
          });
      EXPECT_TRUE(got == sent);
    }
  }
}

TEST(patched_writing, says_how_much_had_gone_after_SO_SNDTIMEO) {
  const Ends ends = testing::socket_ends();
  testing::set_timeout(ends.b.get(), SO_SNDTIMEO, 20);
  const std::string much(5'000'000, 'x');
  run([&] {
    const ssize_t gone = ::send(ends.b.get(), much.data(), much.size(), 0);
    EXPECT_GT(gone, 0);
    EXPECT_LT(gone, static_cast<ssize_t>(much.size()));
    EXPECT_EQ(::send(ends.b.get(), much.data(), much.size(), 0), -1);
    EXPECT_EQ(errno, EAGAIN);
  });
}

TEST(patched_writing, waits_for_the_room_of_a_receiver_that_reports_none) {
  // An unconnected UNIX datagram socket is always "writable".
  const std::string path = "/tmp/hawser-patch-" + std::to_string(::getpid());
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  path.copy(name.sun_path, sizeof name.sun_path - 1);
  const UniqueFd receiver(::socket(AF_UNIX, SOCK_DGRAM, 0));
  const UniqueFd sender(::socket(AF_UNIX, SOCK_DGRAM, 0));
  ASSERT_EQ(::bind(receiver.get(), reinterpret_cast<sockaddr*>(&name), sizeof name), 0);
  constexpr int kMany = 2000;
  with_other(
      [&] {
        for (int i = 0; i < kMany; ++i) {
          ASSERT_EQ(::sendto(sender.get(), &i, sizeof i, 0, reinterpret_cast<sockaddr*>(&name), sizeof name), 4);
        }
      },
      [&] {
        for (int i = 0; i < kMany; ++i) {
          int got = -1;
          ASSERT_EQ(::recv(receiver.get(), &got, sizeof got, 0), 4);
          ASSERT_EQ(got, i);
        }
      });
  ::unlink(path.c_str());
}

TEST(patched_writing, fails_as_ever_when_nobody_reads) {
  Ends ends = testing::socket_ends();
  ends.a.reset();
  run([&] {
    EXPECT_EQ(::send(ends.b.get(), "x", 1, MSG_NOSIGNAL), -1);
    EXPECT_EQ(errno, EPIPE);
    EXPECT_EQ(::send(-1, "x", 1, MSG_NOSIGNAL), -1);
    EXPECT_EQ(errno, EBADF);
    char byte;
    EXPECT_EQ(::read(-1, &byte, 1), -1);
    EXPECT_EQ(errno, EBADF);
  });
}

TEST(patched_files, are_read_and_written_as_ever) {
  run([&] {
    char path[] = "/tmp/hawser-patch-XXXXXX";
    const UniqueFd file(::mkstemp(path));
    ::unlink(path);
    const std::string text(300'000, 'y');
    EXPECT_EQ(::write(file.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
    EXPECT_EQ(::lseek(file.get(), 0, SEEK_SET), 0);
    std::string got(text.size(), '\0');
    EXPECT_EQ(::read(file.get(), got.data(), got.size()), static_cast<ssize_t>(text.size()));
    EXPECT_EQ(got, text);
    EXPECT_EQ(::read(file.get(), got.data(), 1), 0);
    const UniqueFd null(::open("/dev/null", O_RDWR));
    EXPECT_EQ(::write(null.get(), "abc", 3), 3);
    EXPECT_EQ(::read(null.get(), got.data(), 1), 0);
    const UniqueFd folder(::open("/tmp", O_RDONLY));
    EXPECT_EQ(::read(folder.get(), got.data(), 1), -1);
    EXPECT_EQ(errno, EISDIR);
  });
}

TEST(patched_files, terminals_are_waited_for) {
  const UniqueFd master(::posix_openpt(O_RDWR | O_NOCTTY));
  ASSERT_EQ(::grantpt(master.get()), 0);
  ASSERT_EQ(::unlockpt(master.get()), 0);
  const UniqueFd terminal(::open(::ptsname(master.get()), O_RDWR | O_NOCTTY));
  ASSERT_TRUE(terminal);
  const std::string text(2000, 'z');
  with_other(
      [&] {
        char line[16];
        EXPECT_EQ(::read(terminal.get(), line, sizeof line), 3);
        EXPECT_EQ(::write(terminal.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
      },
      [&] {
        EXPECT_EQ(::write(master.get(), "hi\n", 3), 3);
        std::size_t come = 0;
        char some[512];
        while (come < text.size() + 4) {  // with the echo of hi\r\n
          const ssize_t size = ::read(master.get(), some, sizeof some);
          ASSERT_GT(size, 0);
          come += static_cast<std::size_t>(size);
        }
      });
}

TEST(patched_transfer, goes_both_ways_on_one_descriptor) {
  const Ends ends = testing::socket_ends();
  constexpr int kRounds = 2000;
  run([&] {
    TaskGroup group;
    for (const int fd : {ends.a.get(), ends.b.get()}) {
      group.spawn([fd] {
        for (int i = 0; i < kRounds; ++i) ASSERT_EQ(::write(fd, "0123456789", 10), 10);
      });
      group.spawn([fd] {
        for (int left = kRounds * 10; left > 0;) {
          char some[64];
          const ssize_t size = ::read(fd, some, sizeof some);
          ASSERT_GT(size, 0);
          left -= static_cast<int>(size);
        }
      });
    }
    group.join();
  });
}

TEST(patched_transfer, several_readers_of_one_descriptor_each_get_their_turn) {
  const Ends ends = testing::pipe_ends();
  run([&] {
    int served = 0;
    TaskGroup group;
    for (int i = 0; i < 20; ++i) {
      group.spawn([&] {
        char byte;
        EXPECT_EQ(::read(ends.a.get(), &byte, 1), 1);
        ++served;
      });
    }
    yield();
    EXPECT_EQ(served, 0);
    for (int i = 0; i < 20; ++i) EXPECT_EQ(::write(ends.b.get(), "x", 1), 1);
    group.join();
    EXPECT_EQ(served, 20);
  });
}

TEST(patched_transfer, a_pair_of_fibers_plays_many_rounds) {
  const Ends ends = testing::socket_ends();
  constexpr int kRounds = 20'000;
  with_other(
      [&] {
        for (int i = 0; i < kRounds; ++i) {
          ASSERT_EQ(::write(ends.a.get(), &i, sizeof i), 4);
          int back = -1;
          ASSERT_EQ(::read(ends.a.get(), &back, sizeof back), 4);
          ASSERT_EQ(back, i);
        }
      },
      [&] {
        for (int i = 0; i < kRounds; ++i) {
          int got = -1;
          ASSERT_EQ(::recv(ends.b.get(), &got, sizeof got, 0), 4);
          ASSERT_EQ(::send(ends.b.get(), &got, sizeof got, 0), 4);
        }
      });
}

}  // namespace
}  // namespace hawser
