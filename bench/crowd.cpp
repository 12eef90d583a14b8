// Very many connections that are silent, on one machine whose processes may each have only so many descriptors: several
// processes serve one port together (SO_REUSEPORT), each connection on a fiber of its own, and as many hold the other
// ends. Once all are open the memory is looked at; then each connection is asked for an answer. Prints one line of
// JSON.
//
//   bench_crowd COUNT [--processes 6] [--engine epoll|uring]
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

#include <hawser/fiber/run.h>
#include <hawser/fiber/task_group.h>
#include <hawser/net/listener.h>
#include <hawser/net/socket.h>
#include <hawser/net/socket_options.h>
#include <hawser/serve/tcp_servers.h>

#include "arguments.h"
#include "file_limit.h"
#include "load/server_process.h"
#include "stopwatch.h"

using namespace hawser;

namespace {

constexpr int kAtOnce = 64;  // fibers of a client that connect, or ask

[[noreturn]] void give_up(const std::string& what) {
  std::fprintf(stderr, "bench_crowd: %s\n", what.c_str());
  std::exit(1);
}

// A child, and the pipes over which numbers go to and fro.
class Child {
 public:
  explicit Child(const std::function<void(Child&)>& body) {
    std::array<int, 2> down{};
    std::array<int, 2> up{};
    if (::pipe(down.data()) < 0 || ::pipe(up.data()) < 0) give_up("no pipe");
    pid_ = ::fork();
    if (pid_ < 0) give_up("no process");
    read_ = pid_ == 0 ? down[0] : up[0];
    write_ = pid_ == 0 ? up[1] : down[1];
    ::close(pid_ == 0 ? down[1] : up[1]);
    ::close(pid_ == 0 ? up[0] : down[0]);
    if (pid_ != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    try {
      body(*this);
    } catch (const std::exception& error) {
      give_up(error.what());
    }
    ::_exit(0);
  }
  void tell(std::uint64_t number) const {
    if (::write(write_, &number, sizeof number) != sizeof number) give_up("a process is gone");
  }
  [[nodiscard]] std::uint64_t hear() const {
    std::uint64_t number = 0;
    ssize_t got = 0;
    do {
      got = ::read(read_, &number, sizeof number);
    } while (got < 0 && errno == EINTR);
    if (got != sizeof number) give_up("a process is gone");
    return number;
  }
  [[nodiscard]] pid_t pid() const { return pid_; }
  void end() const {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

 private:
  pid_t pid_ = -1;
  int read_ = -1;
  int write_ = -1;
};

void serve(const Child& parent, int port) {
  run([&] {
    ServerOptions options;
    options.max_connections = 1'000'000;
    options.listen.backlog = 4096;
    options.listen.reuse_port = true;
    FiberTcpServer server(
        {"127.0.0.1", port},
        [](Socket& peer) {
          while (const Bytes data = peer.recv(1024)) peer.send_all(data);
        },
        options);
    parent.tell(1);
    server.serve_forever();
  });
}

// On every connection, kAtOnce of them at a time.
template <class Do>
void for_each_connection(std::vector<Socket>& all, Do&& what) {
  std::size_t next = 0;
  TaskGroup group;
  for (int i = 0; i < kAtOnce; ++i) {
    group.spawn([&] {
      while (next < all.size()) what(all[next++]);
    });
  }
  group.join();
}

// Addresses of its own for each client, since a port of ours leads to one port there only once; and so many that there
// is always a free one near where connect(2) begins to look.
constexpr std::size_t kToAnAddress = 5000;

void hold(const Child& parent, int number, std::size_t count, int port) {
  run([&] {
    const Address to = Address::ip("127.0.0.1", port);
    std::vector<Socket> all(count);
    for_each_connection(all, [&](Socket& socket) {
      socket = Socket(AF_INET, SOCK_STREAM);
      socket.set(option::linger, option::Linger{.on = true, .wait = {}});  // 100,000 ends would stay for a minute
      // The port is chosen by connect(2), which knows where to: bind(2) would look for one that is free everywhere.
      const int late = 1;
      ::setsockopt(socket.fileno(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &late, sizeof late);
      const auto block = static_cast<std::size_t>(&socket - all.data()) / kToAnAddress;
      socket.bind(Address::ip("127.1." + std::to_string(number) + "." + std::to_string(block + 1), 0));
      socket.set_timeout(std::chrono::seconds(30));
      socket.connect(to);
    });
    parent.tell(all.size());
    static_cast<void>(parent.hear());
    std::uint64_t answered = 0;
    for_each_connection(all, [&](Socket& socket) {
      const std::string question = std::to_string(&socket - all.data());
      socket.send_all(question);
      std::string answer;
      while (answer.size() < question.size()) {
        const Bytes part = socket.recv(64);
        if (part.empty()) break;
        answer += part.view();
      }
      answered += answer == question ? 1 : 0;
    });
    parent.tell(answered);
    static_cast<void>(parent.hear());
  });
}

int free_port() {
  Socket probe(AF_INET, SOCK_STREAM);
  probe.set(option::reuse_port, true);
  probe.bind(Address::ip("127.0.0.1", 0));
  return probe.sock_name().port();
}

}  // namespace

int main(int argc, char** argv) {
  const Arguments arguments(argc, argv, "bench_crowd COUNT [--processes 6] [--engine epoll|uring]",
                            {"processes", "engine"});
  const auto count = static_cast<std::size_t>(arguments.number_at(0));
  const auto processes = static_cast<std::size_t>(arguments.number("processes", 6));
  if (count < processes || processes < 1 || processes > 200) arguments.fail("so many processes are too many or none");
  ::setenv("HAWSER_ENGINE", arguments.text("engine", "auto").c_str(), 1);
  std::signal(SIGPIPE, SIG_IGN);
  raise_file_limit();
  const int port = free_port();

  std::vector<Child> servers;
  servers.reserve(processes);
  for (std::size_t i = 0; i < processes; ++i) servers.emplace_back([port](Child& parent) { serve(parent, port); });
  for (const Child& server : servers) static_cast<void>(server.hear());
  const auto sum = [&](auto&& what) {
    double all = 0;
    for (const Child& server : servers) all += what(ServerProcess(server.pid()));
    return all;
  };
  const auto resident = [](const ServerProcess& server) { return server.resident_bytes(); };
  const auto processor = [](const ServerProcess& server) { return server.cpu_seconds(); };

  const double memory_before = sum(resident);
  const Stopwatch opening;
  std::vector<Child> clients;
  clients.reserve(processes);
  for (std::size_t i = 0; i < processes; ++i) {
    const std::size_t share = count / processes + (i < count % processes ? 1 : 0);
    clients.emplace_back([=](Child& parent) { hold(parent, static_cast<int>(i), share, port); });
  }
  std::uint64_t open = 0;
  for (const Child& client : clients) open += client.hear();
  const double open_seconds = opening.seconds();
  const double busy_before = sum(processor);
  const Stopwatch silent;
  const timespec second{.tv_sec = 1, .tv_nsec = 0};
  ::nanosleep(&second, nullptr);
  const double idle_percent = 100 * (sum(processor) - busy_before) / silent.seconds();
  const double memory = sum(resident) - memory_before;

  const Stopwatch asking;
  for (const Child& client : clients) client.tell(1);
  std::uint64_t answered = 0;
  for (const Child& client : clients) answered += client.hear();
  const double ask_seconds = asking.seconds();
  const auto each = static_cast<double>(count);
  std::printf(
      "{\"open\": %llu, \"open_s\": %.2f, \"bytes_each\": %.0f, \"idle_cpu_percent\": %.2f, \"answered\": %llu, "
      "\"answer_s\": %.2f}\n",
      static_cast<unsigned long long>(open), open_seconds, memory / each, idle_percent,
      static_cast<unsigned long long>(answered), ask_seconds);
  for (const Child& client : clients) client.end();
  for (const Child& server : servers) server.end();
  return answered == count ? 0 : 1;
}
