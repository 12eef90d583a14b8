// A conversation in which one call fails, and then the next one, until each has failed once: every time it goes through
// whole, or an error says what was wrong; nobody hangs, and neither a descriptor nor a fiber is left behind.
#include <fcntl.h>
#include <net/if.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <new>
#include <string>
#include <vector>

#include <hawser/net/can.h>
#include <hawser/net/connect.h>
#include <hawser/net/datagram.h>
#include <hawser/net/interfaces.h>
#include <hawser/net/listener.h>
#include <hawser/net/ping.h>
#include <hawser/net/selector.h>
#include <hawser/net/socket_options.h>
#include <hawser/process/run_command.h>
#include <hawser/task/thread.h>
#include <hawser/task/thread_pool.h>
#include <hawser/task/timer.h>

#include "weather.h"

namespace hawser {
namespace {

using namespace testing;

class EveryCall : public Weather {};
HAWSER_IN_BOTH_CONTEXTS(EveryCall);

struct Failing {
  SystemCall call;
  int error;
};

// Calls `converse` with the first such call failing, then with the second, …, until a conversation has no such call
// left. Whatever it throws must carry the error. Gives how many conversations failed.
int one_after_another(const Failing& failing, const std::function<void()>& converse) {
  int failed = 0;
  for (std::uint64_t nth = 1; nth < 300; ++nth) {
    const FaultInjection faults({{.call = failing.call, .error = failing.error, .nth = nth}});
    try {
      converse();
    } catch (const std::system_error& error) {
      EXPECT_EQ(error.code().value(), failing.error) << error.what();
      EXPECT_NE(std::string(error.what()).find(std::strerror(failing.error)), std::string::npos) << error.what();
      ++failed;
    } catch (const std::bad_alloc&) {
      EXPECT_EQ(failing.error, ENOMEM);
      ++failed;
    }
    if (faults.struck() == 0) return failed;
  }
  ADD_FAILURE() << "the conversation never ends";
  return failed;
}

void talk_over_tcp() {
  Listener listener({"127.0.0.1", 0});
  Socket client = connect(listener.address());
  Socket peer = listener.accept();
  client.send_all("hello");
  std::string got;
  while (got.size() < 5) {
    const Bytes data = peer.recv(10);
    ASSERT_FALSE(data.empty());
    got += data.view();
  }
  EXPECT_EQ(got, "hello");
  peer.send_all(std::vector<BytesView>{"good", "bye"});
  peer.shutdown_write();
  EXPECT_EQ(read_to_end(client), "goodbye");
}

TEST_P(EveryCall, of_a_talk_over_tcp_may_fail) {
  in_place([] {
    talk_over_tcp();  // from now on the runtime has what it keeps
    const Ledger before;
    for (const Failing& failing : {Failing{SystemCall::socket, EMFILE},
                                   {SystemCall::socket, ENFILE},
                                   {SystemCall::socket, ENOBUFS},
                                   {SystemCall::socket, ENOMEM},
                                   {SystemCall::bind, EADDRINUSE},
                                   {SystemCall::bind, ENOMEM},
                                   {SystemCall::listen, EADDRINUSE},
                                   {SystemCall::connect, ECONNREFUSED},
                                   {SystemCall::connect, EADDRNOTAVAIL},
                                   {SystemCall::setsockopt, ENOMEM},
                                   {SystemCall::shutdown, ENOBUFS},
                                   {SystemCall::getsockname, ENOBUFS},
                                   {SystemCall::send, ENOBUFS},
                                   {SystemCall::send, ENOMEM},
                                   {SystemCall::sendmsg, ENOBUFS},
                                   {SystemCall::sendmsg, ENOMEM},
                                   {SystemCall::recv, ECONNRESET},
                                   {SystemCall::recv, ENOMEM}}) {
      EXPECT_GT(one_after_another(failing, talk_over_tcp), 0)
          << static_cast<int>(failing.call) << ' ' << std::strerror(failing.error);
    }
    // These have only to be waited out, or done again.
    for (const Failing& failing : {Failing{SystemCall::accept4, EMFILE},
                                   {SystemCall::accept4, ENFILE},
                                   {SystemCall::accept4, ENOBUFS},
                                   {SystemCall::accept4, ENOMEM},
                                   {SystemCall::accept4, EPERM},
                                   {SystemCall::accept4, ECONNABORTED},
                                   {SystemCall::accept4, EAGAIN},
                                   {SystemCall::accept4, EINTR},
                                   {SystemCall::connect, EINTR},
                                   {SystemCall::recv, EINTR},
                                   {SystemCall::recv, EAGAIN},
                                   {SystemCall::recv, Fault::kShort},
                                   {SystemCall::send, EINTR},
                                   {SystemCall::send, EAGAIN},
                                   {SystemCall::send, Fault::kShort},
                                   {SystemCall::sendmsg, EINTR},
                                   {SystemCall::sendmsg, EAGAIN},
                                   {SystemCall::sendmsg, Fault::kShort},
                                   {SystemCall::epoll_wait, EINTR},
                                   {SystemCall::poll, EINTR},
                                   {SystemCall::close, EINTR}}) {
      EXPECT_EQ(one_after_another(failing, talk_over_tcp), 0)
          << static_cast<int>(failing.call) << ' ' << std::strerror(failing.error);
    }
    before.expect_the_same();
  });
}

// At a path where another server has left its socket behind, as after a crash.
void talk_over_a_path() {
  const std::string path = std::filesystem::temp_directory_path() / ("hawser-faults-" + std::to_string(::getpid()));
  Socket(AF_UNIX, SOCK_STREAM).bind(Address::unix_path(path));
  try {
    Listener listener(Endpoint::unix_path(path));
    Socket client = connect(listener.address());
    Socket peer = listener.accept();
    client.send_all("hello");
    EXPECT_EQ(peer.recv(10).view(), "hello");
  } catch (...) {
    std::filesystem::remove(path);
    throw;
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_P(EveryCall, of_a_talk_over_a_path_may_fail) {
  in_place([] {
    talk_over_a_path();
    const Ledger before;
    EXPECT_GT(one_after_another({SystemCall::listen, ENOMEM}, talk_over_a_path), 0);
    // Taking turns with other starters may be waited for, and done without.
    for (const int error : {EINTR, EWOULDBLOCK, ENOLCK}) {
      EXPECT_EQ(one_after_another({SystemCall::flock, error}, talk_over_a_path), 0) << std::strerror(error);
    }
    {
      const FaultInjection faults({{.call = SystemCall::flock, .error = EINTR, .nth = 1},
                                   {.call = SystemCall::flock, .error = EWOULDBLOCK, .nth = 1}});
      talk_over_a_path();
      EXPECT_EQ(faults.struck(), 2U);  // it asked again, and again
    }
    before.expect_the_same();
  });
}

void talk_in_datagrams() {
  Socket server(AF_INET, SOCK_DGRAM);
  server.bind(Address::ip("127.0.0.1", 0));
  Socket client(AF_INET, SOCK_DGRAM);
  const std::array<std::string, 5> texts{"one", "two", "three", "", "five"};
  std::vector<OutgoingDatagram> all;
  for (const std::string& text : texts) all.push_back({.data = text, .to = server.sock_name()});
  std::size_t sent = 0;
  while (sent < all.size()) sent += client.send_many(std::span(all).subspan(sent));
  DatagramBatch batch(3, 100);
  std::vector<std::string> heard;
  while (heard.size() < texts.size()) {
    server.receive_many(batch);
    for (const DatagramView& one : batch) heard.emplace_back(one.data.text());
  }
  EXPECT_TRUE(std::equal(heard.begin(), heard.end(), texts.begin(), texts.end()));
  client.send_to("and six", server.sock_name());
  const Datagram last = server.recv_from();
  EXPECT_EQ(last.data, "and six");
  server.send_to("thanks", last.from);
  EXPECT_EQ(client.recv_from().data, "thanks");
  client.connect(server.sock_name());
  const std::array<BytesView, 2> parts{"in two ", "parts"};
  client.write_all(parts);
  EXPECT_EQ(server.recv_from().data, "in two parts");
}

TEST_P(EveryCall, of_a_talk_in_datagrams_may_fail) {
  in_place([] {
    talk_in_datagrams();
    const Ledger before;
    for (const Failing& failing : {Failing{SystemCall::socket, EMFILE},
                                   {SystemCall::bind, EADDRINUSE},
                                   {SystemCall::recvmmsg, ENOMEM},
                                   {SystemCall::send, ENOBUFS},
                                   {SystemCall::send, ENOMEM},
                                   {SystemCall::sendmsg, ENOBUFS},
                                   {SystemCall::recv, ENOMEM}}) {
      EXPECT_GT(one_after_another(failing, talk_in_datagrams), 0)
          << static_cast<int>(failing.call) << ' ' << std::strerror(failing.error);
    }
    for (const Failing& failing : {Failing{SystemCall::recvmmsg, EAGAIN},
                                   {SystemCall::recvmmsg, EINTR},
                                   {SystemCall::recvmmsg, Fault::kShort},
                                   {SystemCall::sendmmsg, EAGAIN},
                                   {SystemCall::sendmmsg, EINTR},
                                   {SystemCall::sendmmsg, ENOBUFS},  // the first is sent alone, and says it if it stays
                                   {SystemCall::sendmmsg, ENOMEM},
                                   {SystemCall::sendmmsg, Fault::kShort},
                                   {SystemCall::send, EAGAIN},
                                   {SystemCall::send, EINTR},
                                   {SystemCall::sendmsg, EAGAIN},
                                   {SystemCall::sendmsg, EINTR},
                                   {SystemCall::recv, EAGAIN},
                                   {SystemCall::recv, EINTR}}) {
      EXPECT_EQ(one_after_another(failing, talk_in_datagrams), 0)
          << static_cast<int>(failing.call) << ' ' << std::strerror(failing.error);
    }
    before.expect_the_same();
  });
}

void wait_for_each_other() {
  auto [a, b] = socketpair();
  auto reader = EveryCall::beside([&end = a] { EXPECT_EQ(end.recv(10).view(), "x"); });
  if (in_fiber()) yield();
  try {
    b.send_all("x");
  } catch (...) {
    a.close();
    throw;
  }
  reader.get();
}

TEST_P(EveryCall, that_registers_a_descriptor_may_fail) {
  in_place([] {
    wait_for_each_other();
    const Ledger before;
    int failed = 0;
    failed += one_after_another({SystemCall::epoll_ctl, ENOMEM}, wait_for_each_other);
    failed += one_after_another({SystemCall::epoll_ctl, ENOSPC}, wait_for_each_other);
    EXPECT_TRUE(GetParam() == ContextKind::fiber || failed == 0) << failed;  // a thread registers nothing
    EXPECT_GT(one_after_another({SystemCall::socketpair, EMFILE}, wait_for_each_other), 0);
    EXPECT_GT(one_after_another({SystemCall::socketpair, ENFILE}, wait_for_each_other), 0);
    before.expect_the_same();
  });
}

// A thread that gets no descriptor to be woken by still hears that its socket was closed.
TEST(EveryCallOnThreads, that_makes_a_bell_may_fail) {
  for (int round = 0; round < 20; ++round) {
    const FaultInjection faults({{.call = SystemCall::eventfd, .error = EMFILE, .probability = 1}});
    auto [a, b] = socketpair();
    std::thread reader([&end = a] { EXPECT_THROW(static_cast<void>(end.recv(1)), SocketClosed); });
    if (round % 2) std::this_thread::yield();
    a.close();
    reader.join();
    auto [c, d] = socketpair();
    std::thread hears([&end = c] { EXPECT_EQ(end.recv(1).view(), "x"); });
    d.send_all("x");
    hears.join();
  }
}

void run_a_command() {
  const Completed done = run_command({"cat"}, {.capture = true, .input = Bytes("words")});
  EXPECT_EQ(done.return_code, 0);
  EXPECT_EQ(done.out, "words");
}

TEST_P(EveryCall, of_a_command_may_fail) {
  in_place([] {
    run_a_command();
    const Ledger before;
    for (const Failing& failing : {Failing{SystemCall::pipe, EMFILE},
                                   {SystemCall::pipe, ENFILE},
                                   {SystemCall::clone, EAGAIN},
                                   {SystemCall::clone, ENOMEM},
                                   {SystemCall::read, EIO}}) {
      EXPECT_GT(one_after_another(failing, run_a_command), 0)
          << static_cast<int>(failing.call) << ' ' << std::strerror(failing.error);
    }
    for (const Failing& failing : {Failing{SystemCall::read, EINTR},
                                   {SystemCall::read, EAGAIN},
                                   {SystemCall::read, Fault::kShort},
                                   {SystemCall::write, EINTR},
                                   {SystemCall::write, EAGAIN},
                                   {SystemCall::write, Fault::kShort},
                                   {SystemCall::waitid, EINTR},
                                   {SystemCall::poll, EINTR}}) {
      EXPECT_EQ(one_after_another(failing, run_a_command), 0)
          << static_cast<int>(failing.call) << ' ' << std::strerror(failing.error);
    }
    before.expect_the_same();
  });
}

void work_on_threads() {
  int sum = 0;
  Thread thread([&sum] { sum += 1; });
  thread.start();
  thread.join();
  {
    ThreadPool pool(2);
    sum += pool.submit([] { return 10; }).result();
  }
  Timer timer(1us, [&sum] { sum += 100; });
  timer.start();
  timer.join();
  EXPECT_EQ(sum, 111);
}

TEST_P(EveryCall, that_starts_a_thread_may_fail) {
  in_place([] {
    work_on_threads();
    const Ledger before;
    // In a fiber the timer needs none.
    EXPECT_EQ(one_after_another({SystemCall::thread_create, EAGAIN}, work_on_threads),
              GetParam() == ContextKind::fiber ? 2 : 3);
    before.expect_the_same();
  });
}

TEST_P(EveryCall, of_a_send_file_may_fail) {
  in_place([] {
    const UniqueFd file(::open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
    struct stat about {};
    ASSERT_EQ(::fstat(file.get(), &about), 0);
    const auto size = std::min<std::uint64_t>(static_cast<std::uint64_t>(about.st_size), 1'000'000);
    const auto send_it = [&] {
      auto [a, b] = socketpair();
      auto reader = beside([&end = a] { static_cast<void>(read_to_end(end)); });
      try {
        EXPECT_EQ(b.send_file(file.get(), 0, size), size);
      } catch (...) {
        b.close();
        reader.get();
        throw;
      }
      b.close();
      reader.get();
    };
    send_it();
    const Ledger before;
    EXPECT_GT(one_after_another({SystemCall::sendfile, EIO}, send_it), 0);
    EXPECT_GT(one_after_another({SystemCall::sendfile, ENOMEM}, send_it), 0);
    EXPECT_EQ(one_after_another({SystemCall::sendfile, EINTR}, send_it), 0);
    EXPECT_EQ(one_after_another({SystemCall::sendfile, EAGAIN}, send_it), 0);
    // Here the file is sent by another way.
    EXPECT_EQ(one_after_another({SystemCall::sendfile, EINVAL}, send_it), 0);
    before.expect_the_same();
  });
}

TEST_P(EveryCall, of_a_selector_may_fail) {
  in_place([] {
    for (const SelectorKind kind : {SelectorKind::select, SelectorKind::poll, SelectorKind::epoll}) {
      const auto watch = [&] {
        auto [a, b] = socketpair();
        Selector selector(kind);
        selector.register_fd(a.fileno(), Events::read);
        EXPECT_TRUE(selector.select(0ms).empty());
        b.send_all("x");
        EXPECT_EQ(selector.select().size(), 1U);
      };
      watch();
      const Ledger before;
      EXPECT_GT(one_after_another({SystemCall::eventfd, EMFILE}, watch), 0);
      if (kind == SelectorKind::select) {
        EXPECT_GT(one_after_another({SystemCall::select, ENOMEM}, watch), 0);
        EXPECT_EQ(one_after_another({SystemCall::select, EINTR}, watch), 0);
      }
      if (kind == SelectorKind::epoll) {
        EXPECT_GT(one_after_another({SystemCall::epoll_create, EMFILE}, watch), 0);
        EXPECT_GT(one_after_another({SystemCall::epoll_create, ENOMEM}, watch), 0);
        EXPECT_GT(one_after_another({SystemCall::epoll_ctl, ENOSPC}, watch), 0);
        EXPECT_EQ(one_after_another({SystemCall::epoll_wait, EINTR}, watch), 0);
      }
      EXPECT_EQ(one_after_another({SystemCall::poll, EINTR}, watch), 0);
      before.expect_the_same();
    }
  });
}

// What a message must say is not only why, but also of what.
template <class Call>
std::string words_of(SystemCall call, int error, Call&& body) {
  const FaultInjection faults({{.call = call, .error = error, .nth = 1}});
  try {
    body();
  } catch (const std::exception& thrown) {
    return thrown.what();
  }
  return "";
}

TEST(EveryCallByName, says_what_failed_with_what) {
  Socket socket(AF_INET, SOCK_DGRAM);
  const Address here = Address::ip("127.0.0.1", 4242);
  EXPECT_EQ(words_of(SystemCall::socket, ENFILE, [] { Socket made(AF_INET, SOCK_STREAM); }),
            "socket AF_INET SOCK_STREAM: Too many open files in system");
  EXPECT_EQ(words_of(SystemCall::bind, EADDRINUSE, [&] { socket.bind(here); }),
            "bind 127.0.0.1:4242: Address already in use");
  EXPECT_EQ(words_of(SystemCall::setsockopt, ENOBUFS, [&] { socket.set(option::broadcast, true); }),
            "setsockopt SO_BROADCAST on: No buffer space available");
  EXPECT_EQ(words_of(SystemCall::getsockopt, ENOBUFS, [&] { static_cast<void>(socket.get(option::broadcast)); }),
            "getsockopt SO_BROADCAST: No buffer space available");
  EXPECT_EQ(words_of(SystemCall::getsockname, ENOBUFS, [&] { static_cast<void>(socket.sock_name()); }),
            "getsockname socket " + std::to_string(socket.fileno()) + ": No buffer space available");
  EXPECT_EQ(words_of(SystemCall::ioctl, ENOTTY,
                     [] {
                       auto [a, b] = socketpair();
                       static_cast<void>(a.at_mark());
                     })
                .substr(0, 8),
            "at_mark ");
  EXPECT_EQ(words_of(SystemCall::socket, EMFILE, [] { static_cast<void>(interfaces()); }),
            "socket of interfaces: Too many open files");
}

// Kernels are built without these; what they say then is said here by the seam, whatever this one has.
TEST(EveryCallByName, says_which_family_the_kernel_lacks) {
  EXPECT_EQ(words_of(SystemCall::socket, EAFNOSUPPORT, [] { Socket made(AF_RDS, SOCK_SEQPACKET); }),
            "socket AF_RDS SOCK_SEQPACKET (not in this kernel): Address family not supported by protocol");
  EXPECT_EQ(words_of(SystemCall::socket, EAFNOSUPPORT, [] { static_cast<void>(can_socket("can0")); }),
            "socket AF_CAN SOCK_RAW protocol 1 (not in this kernel): Address family not supported by protocol");
  EXPECT_EQ(words_of(SystemCall::socket, EPROTONOSUPPORT, [] { Socket made(AF_CAN, SOCK_RAW, 6); }),
            "socket AF_CAN SOCK_RAW protocol 6 (not in this kernel): Protocol not supported");
  EXPECT_EQ(words_of(SystemCall::socket, EAFNOSUPPORT, [] { Socket made(AF_INET6, SOCK_STREAM); }),
            "socket AF_INET6 SOCK_STREAM (not in this kernel): Address family not supported by protocol");
  EXPECT_EQ(words_of(SystemCall::socket, EPERM, [] { Socket made(AF_INET, SOCK_RAW, IPPROTO_ICMP); }),
            "socket AF_INET SOCK_RAW protocol 1: Operation not permitted");
}

TEST(EveryCallByName, says_what_a_ping_needs) {
  const FaultInjection faults({{SystemCall::socket, EACCES, 1.0}});
  try {
    const Ping ping(Address::ip("127.0.0.1", 0));
    FAIL();
  } catch (const SystemError& error) {
    EXPECT_STREQ(error.what(),
                 "ping 127.0.0.1 (needs CAP_NET_RAW, or a group in net.ipv4.ping_group_range): Permission denied");
  }
}

}  // namespace
}  // namespace hawser
