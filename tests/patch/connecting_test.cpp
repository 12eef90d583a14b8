// connect, accept, names.
#include <arpa/inet.h>
#include <netdb.h>
#include <poll.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <string>

#include <hawser/fiber/cancellation.h>
#include <hawser/fiber/deadline.h>
#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>
#include <hawser/fiber/task_group.h>
#include <hawser/sync/event.h>

#include "net/full_listener.h"
#include "patch/ends.h"

namespace hawser {
namespace {

using namespace std::chrono_literals;
using testing::Ends;
using testing::TcpListener;

TEST(patched_connecting, client_and_server_meet_on_one_thread) {
  const TcpListener listener;
  run([&] {
    TaskGroup group;
    group.spawn([&] {
      for (int i = 0; i < 20; ++i) {
        sockaddr_in peer{};
        socklen_t size = sizeof peer;
        auto* name = reinterpret_cast<sockaddr*>(&peer);
        const UniqueFd got(i % 2 ? ::accept4(listener.fd.get(), name, &size, SOCK_CLOEXEC)
                                 : ::accept(listener.fd.get(), name, &size));
        ASSERT_TRUE(got);
        EXPECT_EQ(peer.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
        EXPECT_TRUE(testing::is_blocking(got.get()));
        char byte;
        ASSERT_EQ(::read(got.get(), &byte, 1), 1);
        ASSERT_EQ(::write(got.get(), &byte, 1), 1);
      }
      EXPECT_TRUE(testing::is_blocking(listener.fd.get()));
    });
    group.spawn([&] {
      for (int i = 0; i < 20; ++i) {
        const UniqueFd fd(::socket(AF_INET, SOCK_STREAM, 0));
        errno = 77;
        ASSERT_EQ(::connect(fd.get(), listener.name(), sizeof(sockaddr_in)), 0);
        EXPECT_EQ(errno, 77);
        EXPECT_TRUE(testing::is_blocking(fd.get()));
        char byte = 'x';
        ASSERT_EQ(::write(fd.get(), &byte, 1), 1);
        ASSERT_EQ(::read(fd.get(), &byte, 1), 1);
      }
    });
    group.join();
  });
}

TEST(patched_connecting, a_refusal_is_told) {
  sockaddr_in nobody{};
  {
    const TcpListener listener;
    nobody = listener.address;
  }
  run([&] {
    const UniqueFd fd(::socket(AF_INET, SOCK_STREAM, 0));
    EXPECT_EQ(::connect(fd.get(), reinterpret_cast<sockaddr*>(&nobody), sizeof nobody), -1);
    EXPECT_EQ(errno, ECONNREFUSED);
    EXPECT_TRUE(testing::is_blocking(fd.get()));
    EXPECT_EQ(::connect(-1, reinterpret_cast<sockaddr*>(&nobody), sizeof nobody), -1);
    EXPECT_EQ(errno, EBADF);
  });
}

TEST(patched_connecting, ends_after_SO_SNDTIMEO_by_a_deadline_and_by_a_kill) {
  const testing::FullListener full;
  run([&] {
    const auto try_it = [&](int milliseconds) {
      const UniqueFd fd(::socket(AF_INET, SOCK_STREAM, 0));
      if (milliseconds) testing::set_timeout(fd.get(), SO_SNDTIMEO, milliseconds);
      EXPECT_EQ(::connect(fd.get(), full.address().data(), full.address().size()), -1);
      EXPECT_TRUE(testing::is_blocking(fd.get()));
      return errno;
    };
    EXPECT_EQ(try_it(20), EINPROGRESS);
    {
      const Deadline budget(10ms);
      EXPECT_EQ(try_it(0), ETIMEDOUT);
    }
    Task<void> killed = spawn([&] { EXPECT_EQ(try_it(0), ECANCELED); });
    yield();
    killed.kill();
  });
}

TEST(patched_connecting, a_full_UNIX_backlog_is_waited_for) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  const std::string path = "hawser-patch-" + std::to_string(::getpid());
  path.copy(name.sun_path + 1, sizeof name.sun_path - 2);  // abstract
  const UniqueFd listener(::socket(AF_UNIX, SOCK_STREAM, 0));
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&name), sizeof name), 0);
  ASSERT_EQ(::listen(listener.get(), 1), 0);
  run([&] {
    TaskGroup group;
    for (int i = 0; i < 10; ++i) {
      group.spawn([&] {
        const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM, 0));
        ASSERT_EQ(::connect(fd.get(), reinterpret_cast<sockaddr*>(&name), sizeof name), 0);
        char byte;
        EXPECT_EQ(::read(fd.get(), &byte, 1), 0);
      });
    }
    group.spawn([&] {
      for (int i = 0; i < 10; ++i) {
        const UniqueFd got(::accept(listener.get(), nullptr, nullptr));
        EXPECT_TRUE(got);
      }
    });
    group.join();
  });
}

TEST(patched_accept, ends_after_SO_RCVTIMEO_and_does_not_wait_unasked) {
  const TcpListener listener;
  testing::set_timeout(listener.fd.get(), SO_RCVTIMEO, 10);
  run([&] {
    EXPECT_EQ(::accept(listener.fd.get(), nullptr, nullptr), -1);
    EXPECT_EQ(errno, EAGAIN);
    set_nonblocking(listener.fd.get(), true);
    EXPECT_EQ(::accept(listener.fd.get(), nullptr, nullptr), -1);
    EXPECT_EQ(errno, EAGAIN);
  });
}

TEST(patched_names, are_looked_up_as_ever) {
  run([&] {
    addrinfo hints{};
    hints.ai_family = AF_INET;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* list = nullptr;
    ASSERT_EQ(::getaddrinfo("localhost", "80", &hints, &list), 0);
    ASSERT_NE(list, nullptr);
    const auto* first = reinterpret_cast<const sockaddr_in*>(list->ai_addr);
    EXPECT_EQ(first->sin_addr.s_addr, htonl(INADDR_LOOPBACK));
    EXPECT_EQ(first->sin_port, htons(80));
    char host[NI_MAXHOST], service[NI_MAXSERV];
    EXPECT_EQ(::getnameinfo(list->ai_addr, list->ai_addrlen, host, sizeof host, service, sizeof service, 0), 0);
    EXPECT_STREQ(host, "localhost");
    EXPECT_EQ(::getnameinfo(list->ai_addr, list->ai_addrlen, host, sizeof host, nullptr, 0, NI_NUMERICHOST), 0);
    EXPECT_STREQ(host, "127.0.0.1");
    ::freeaddrinfo(list);
    EXPECT_EQ(::getaddrinfo("127.0.0.1", nullptr, nullptr, &list), 0);
    ::freeaddrinfo(list);
    hints.ai_flags = AI_NUMERICHOST;
    EXPECT_EQ(::getaddrinfo("localhost", nullptr, &hints, &list), EAI_NONAME);
    EXPECT_NE(::getaddrinfo("no.such.host.invalid", nullptr, nullptr, &list), 0);
  });
}

TEST(patched_names, of_hosts_in_the_old_way) {
  run([&] {
    const hostent* entry = ::gethostbyname("localhost");
    ASSERT_NE(entry, nullptr);
    EXPECT_STREQ(entry->h_name, "localhost");
    EXPECT_EQ(entry->h_addrtype, AF_INET);
    in_addr address{};
    std::memcpy(&address, entry->h_addr_list[0], sizeof address);
    EXPECT_EQ(address.s_addr, htonl(INADDR_LOOPBACK));
    EXPECT_EQ(entry->h_addr_list[1], nullptr);
    EXPECT_NE(::gethostbyname2("localhost", AF_INET), nullptr);
    entry = ::gethostbyaddr(&address, sizeof address, AF_INET);
    ASSERT_NE(entry, nullptr);
    EXPECT_STREQ(entry->h_name, "localhost");
    EXPECT_EQ(::gethostbyname("no.such.host.invalid"), nullptr);
    EXPECT_NE(h_errno, 0);

    hostent own{};
    hostent* found = nullptr;
    int error = 0;
    char buffer[1024];
    EXPECT_EQ(::gethostbyname_r("localhost", &own, buffer, sizeof buffer, &found, &error), 0);
    ASSERT_EQ(found, &own);
    EXPECT_GE(own.h_name, buffer);
    EXPECT_LT(own.h_name, buffer + sizeof buffer);
    EXPECT_EQ(::gethostbyname2_r("localhost", AF_INET, &own, buffer, sizeof buffer, &found, &error), 0);
    EXPECT_EQ(::gethostbyaddr_r(&address, sizeof address, AF_INET, &own, buffer, sizeof buffer, &found, &error), 0);
    EXPECT_EQ(::gethostbyname_r("localhost", &own, buffer, 8, &found, &error), ERANGE);
    EXPECT_EQ(found, nullptr);
  });
}

TEST(patched_names, each_fiber_has_an_entry_of_its_own) {
  run([&] {
    const hostent* mine = ::gethostbyname("localhost");
    ASSERT_NE(mine, nullptr);
    spawn([&] { EXPECT_NE(::gethostbyname("localhost"), mine); }).get();
    EXPECT_STREQ(mine->h_name, "localhost");
  });
}

TEST(patched_names, a_fiber_that_is_stopped_leaves_at_once) {
  run([&] {
    Event go;
    Task<void> task = spawn([&] {
      {
        const Shield shield;
        go.wait();
      }
      addrinfo* list = nullptr;
      EXPECT_EQ(::getaddrinfo("localhost", nullptr, nullptr, &list), EAI_SYSTEM);
      EXPECT_EQ(errno, ECANCELED);
      EXPECT_EQ(::gethostbyname("localhost"), nullptr);
      EXPECT_EQ(h_errno, NETDB_INTERNAL);
      EXPECT_EQ(errno, ECANCELED);
    });
    yield();
    task.kill();
    go.set();
    task.join();
    const Deadline none(Duration::zero());
    addrinfo* list = nullptr;
    EXPECT_EQ(::getaddrinfo("localhost", nullptr, nullptr, &list), EAI_SYSTEM);
    EXPECT_EQ(errno, ETIMEDOUT);
  });
}

}  // namespace
}  // namespace hawser
