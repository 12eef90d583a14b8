#include <hawser/net/listener.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <mutex>
#include <vector>

#include <hawser/base/log.h>
#include <hawser/fiber/deadline.h>
#include <hawser/net/connect.h>

#include "both_contexts.h"

namespace hawser {
namespace {

using namespace std::chrono_literals;

class listener_in : public testing::BothContexts {};
HAWSER_IN_BOTH_CONTEXTS(listener_in);

class TemporaryFolder {
 public:
  TemporaryFolder() {
    char name[] = "/tmp/hawser-listener-XXXXXX";
    path_ = ::mkdtemp(name);
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  [[nodiscard]] std::string file(const char* name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

TEST_P(listener_in, port_0_becomes_a_real_one) {
  in_context([] {
    Listener listener({"127.0.0.1", 0});
    EXPECT_GT(listener.address().port(), 0);
    EXPECT_EQ(listener.address().host(), "127.0.0.1");
  });
}

TEST_P(listener_in, address_in_use_is_named) {
  in_context([] {
    Listener listener({"127.0.0.1", 0});
    try {
      Listener second(listener.address());
      FAIL();
    } catch (const SystemError& error) {
      EXPECT_EQ(error.error_number(), EADDRINUSE);
      EXPECT_EQ(error.what(), "bind " + listener.address().str() + ": Address already in use");
    }
  });
}

TEST_P(listener_in, restart_within_time_wait_works) {
  in_context([] {
    Address address;
    {
      Listener listener({"127.0.0.1", 0});
      address = listener.address();
      Socket client = connect(address);
      Socket server = listener.accept();
      server.close();  // the end that closes first is left in TIME_WAIT
      EXPECT_TRUE(client.recv(1).empty());
    }
    EXPECT_EQ(Listener(address).address(), address);
    EXPECT_THROW(Listener(address, {.reuse_address = false}), SystemError);
  });
}

TEST_P(listener_in, ipv6_alone_unless_dual_stack) {
  in_context([] {
    Listener alone({"::", 0});
    EXPECT_THROW(static_cast<void>(connect({"127.0.0.1", alone.address().port()})), SystemError);
    Listener dual({"::", 0}, {.dual_stack = true});
    Socket client = connect({"127.0.0.1", dual.address().port()});
    EXPECT_EQ(dual.accept(5s).peer_name().host(), "::ffff:127.0.0.1");
  });
}

TEST_P(listener_in, reuse_port_shares) {
  in_context([] {
    Listener first({"127.0.0.1", 0}, {.reuse_port = true});
    EXPECT_EQ(Listener(first.address(), {.reuse_port = true}).address(), first.address());
  });
}

TEST_P(listener_in, accepted_sockets_inherit_no_timeout) {
  in_context([] {
    Listener listener({"127.0.0.1", 0});
    listener.socket().set_timeout(1s);
    Socket client = connect(listener.address());
    Socket server = listener.accept();
    EXPECT_EQ(server.timeout(), std::nullopt);
    EXPECT_TRUE(server.get(option::no_delay));
    EXPECT_NE(::fcntl(server.fileno(), F_GETFD) & FD_CLOEXEC, 0);
  });
}

TEST_P(listener_in, accept_times_out) {
  in_context([] {
    Listener listener({"127.0.0.1", 0});
    EXPECT_THROW(static_cast<void>(listener.accept(1ms)), SocketTimeout);
    EXPECT_THROW(static_cast<void>(listener.accept(0s)), SocketTimeout);
    EXPECT_THROW(static_cast<void>(listener.accept(-1s)), std::invalid_argument);
    Deadline budget(1ms);
    EXPECT_THROW(static_cast<void>(listener.accept()), DeadlineExceeded);
  });
}

TEST_P(listener_in, close_wakes_accept) {
  in_context([this] {
    for (int round = 0; round < 200; ++round) {
      Listener listener({"127.0.0.1", 0});
      auto waiting = peer([&] { static_cast<void>(listener.accept()); });
      if (round % 2) yield();
      listener.close();
      EXPECT_THROW(waiting.get(), SocketClosed);
    }
  });
}

TEST_P(listener_in, unix_path_goes_with_the_listener) {
  in_context([] {
    const TemporaryFolder folder;
    const std::string path = folder.file("socket");
    {
      Listener listener(Endpoint::unix_path(path), {.unix_mode = 0600});
      struct stat about {};
      ASSERT_EQ(::stat(path.c_str(), &about), 0);
      EXPECT_EQ(about.st_mode & 0777, 0600U);
      Socket client = connect(listener.address());
      Socket server = listener.accept(5s);
      EXPECT_EQ(client.peer(), path);
      client.send_all("x");
      EXPECT_EQ(server.recv(1), "x");
    }
    EXPECT_FALSE(std::filesystem::exists(path));
  });
}

TEST_P(listener_in, stale_unix_path_is_taken_over_but_never_a_live_one) {
  in_context([] {
    const TemporaryFolder folder;
    const Address address = Address::unix_path(folder.file("socket"));
    Socket dead(AF_UNIX);
    dead.bind(address);
    dead.close();  // its path stays
    Listener listener(address);
    Socket client = connect(address);
    Socket server = listener.accept(5s);
    EXPECT_THROW(Listener{address}, SystemError);
    client.send_all("still here");
    EXPECT_EQ(server.recv(100), "still here");
    EXPECT_NO_THROW(static_cast<void>(connect(address)));
  });
}

TEST_P(listener_in, unix_path_that_is_bound_and_does_not_listen_yet_is_in_use) {
  in_context([] {
    const TemporaryFolder folder;
    const Address address = Address::unix_path(folder.file("socket"));
    const auto refused = [&address] {
      try {
        const Listener second(address);
        return false;
      } catch (const SystemError& error) {
        return error.error_number() == EADDRINUSE;
      }
    };
    {
      Listener first = Listener::bound(address);
      EXPECT_TRUE(refused());
      first.listen();
      EXPECT_TRUE(refused());
      // Who looked whether it is in use was no client.
      EXPECT_THROW(static_cast<void>(first.accept(0s)), SocketTimeout);
      EXPECT_NO_THROW(static_cast<void>(connect(address)));
    }
    for (const int type : {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET}) {
      Socket socket(AF_UNIX, type);
      socket.bind(address);
      EXPECT_TRUE(refused()) << type;
      socket.close();
      EXPECT_FALSE(refused()) << type;
    }
  });
}

TEST_P(listener_in, never_removes_what_is_no_socket_or_not_its_own) {
  in_context([] {
    const TemporaryFolder folder;
    const std::string path = folder.file("precious");
    std::ofstream(path) << "data";
    EXPECT_THROW(Listener(Endpoint::unix_path(path)), SystemError);
    EXPECT_EQ(std::filesystem::file_size(path), 4U);
    const std::string taken = folder.file("socket");
    {
      Listener listener(Endpoint::unix_path(taken));
      std::filesystem::remove(taken);
      std::ofstream(taken) << "other";
    }
    EXPECT_TRUE(std::filesystem::exists(taken));
  });
}

TEST_P(listener_in, abstract_names_leave_no_file) {
  in_context([] {
    const Address address = Address::unix_path("@hawser-abstract-" + std::to_string(::getpid()));
    Listener listener(address);
    EXPECT_THROW(Listener{address}, SystemError);
    static_cast<void>(connect(address));
  });
}

TEST_P(listener_in, moves) {
  in_context([] {
    Listener first({"127.0.0.1", 0});
    const Address address = first.address();
    Listener second = std::move(first);
    Socket client = connect(address);
    static_cast<void>(second.accept(5s));
    EXPECT_THROW(static_cast<void>(first.accept(0s)), SocketClosed);  // NOLINT(bugprone-use-after-move)
  });
}

class DescriptorLimit {
 public:
  explicit DescriptorLimit(rlim_t limit) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit low = before_;
    low.rlim_cur = limit;
    ::setrlimit(RLIMIT_NOFILE, &low);
  }
  ~DescriptorLimit() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

// The lines that the library logs meanwhile.
class Log {
 public:
  Log() {
    set_log_sink([this](LogLevel, std::string_view line) {
      const std::lock_guard hold(mutex_);
      lines_.emplace_back(line);
    });
  }
  ~Log() { set_log_sink({}); }
  std::vector<std::string> lines() {
    const std::lock_guard hold(mutex_);
    return lines_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> lines_;
};

TEST_P(listener_in, out_of_descriptors_backs_off_logs_once_and_goes_on) {
  in_context([this] {
    Log log;
    Listener listener({"127.0.0.1", 0});
    Socket client = connect(listener.address());
    {  // what waiting needs is opened before there is nothing left to open
      EXPECT_THROW(static_cast<void>(Listener({"127.0.0.1", 0}).accept(1ms)), SocketTimeout);
    }
    std::vector<UniqueFd> hoard;
    const DescriptorLimit limit(static_cast<rlim_t>(duplicate(0).get()) + 20);
    for (int fd = ::fcntl(0, F_DUPFD_CLOEXEC, 0); fd >= 0; fd = ::fcntl(0, F_DUPFD_CLOEXEC, 0)) hoard.emplace_back(fd);
    EXPECT_THROW(static_cast<void>(listener.accept(50ms)), SocketTimeout);
    EXPECT_EQ(log.lines().size(), 1U);
    auto accepting = peer([&] { EXPECT_EQ(listener.accept().peer_name(), client.sock_name()); });
    yield();
    hoard.clear();
    accepting.get();
    ASSERT_EQ(log.lines().size(), 1U);
    EXPECT_NE(log.lines()[0].find(listener.address().str()), std::string::npos) << log.lines()[0];
  });
}

TEST_P(listener_in, close_ends_a_back_off) {
  in_context([this] {
    Log log;
    Listener listener({"127.0.0.1", 0});
    Socket client = connect(listener.address());
    EXPECT_THROW(static_cast<void>(Listener({"127.0.0.1", 0}).accept(1ms)), SocketTimeout);
    std::vector<UniqueFd> hoard;
    const DescriptorLimit limit(static_cast<rlim_t>(duplicate(0).get()) + 20);
    for (int fd = ::fcntl(0, F_DUPFD_CLOEXEC, 0); fd >= 0; fd = ::fcntl(0, F_DUPFD_CLOEXEC, 0)) hoard.emplace_back(fd);
    auto accepting = peer([&] { static_cast<void>(listener.accept()); });
    while (log.lines().empty()) yield();
    listener.close();
    EXPECT_THROW(accepting.get(), SocketClosed);
  });
}

}  // namespace
}  // namespace hawser
