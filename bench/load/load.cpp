// Load for TCP servers that answer with what they got, on plain epoll and one thread. Prints one line of JSON: answers
// a second, the time an answer takes, and, given the server's process, its microseconds of CPU for each.
//
//   bench_load PORT [--conns 64] [--size 64] [--depth 1] [--ms 1000] [--pid SERVER]
//              [--frames 1]   a message is a frame: 4-byte length, {"size":N}, N bytes
//              [--spin 1]     asks without sleeping, so that the load's own waking up is not measured
//              [--churn K]    K messages on a connection, then a new one
//              [--idle 1]     one message on each connection, then silence: the server's memory for a connection
#include <sys/epoll.h>

#include <cstdio>
#include <thread>
#include <vector>

#include "../arguments.h"
#include "../file_limit.h"
#include "connection.h"
#include "server_process.h"

namespace {

class Crowd {
 public:
  Crowd(const Arguments& arguments, Load& load)
      : load_(load),
        port_(static_cast<int>(arguments.number_at(0))),
        count_(static_cast<std::size_t>(arguments.number("conns", 64))),
        spin_(arguments.number("spin", 0) != 0),
        renew_(arguments.number("churn", 0) != 0),
        spread_(renew_ || count_ > 10'000),
        epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    connections_.reserve(count_);
  }

  void open_all() {
    while (connections_.size() < count_) open_one();
  }
  // In small groups, each answered before the next comes, so that no queue of a server decides.
  void open_gently() {
    while (connections_.size() < count_) {
      open_one();
      if (connections_.size() % 100 == 0) answered_by(connections_.size());
    }
    answered_by(count_);
  }
  void serve_until(std::uint64_t end_ns) {
    while (now_ns() < end_ns) turn();
  }
  [[nodiscard]] std::uint64_t opened() const { return opened_; }

 private:
  void open_one() {
    connections_.emplace_back(load_, port_, opened_++, spread_);
    watch(connections_.size() - 1);
  }

  void watch(std::size_t index) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLET;
    event.data.u64 = index;
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, connections_[index].fd(), &event) != 0) fail_with_errno("epoll_ctl");
    connections_[index].send();
  }

  void answered_by(std::size_t everyone) {
    while (load_.answers < everyone) turn();
  }

  void turn() {
    constexpr std::uint64_t kPatience = 5'000'000'000;
    epoll_event events[256];
    const int count = ::epoll_wait(epoll_, events, 256, spin_ ? 0 : 100);
    for (int i = 0; i < count; ++i) {
      Connection& connection = connections_[events[i].data.u64];
      connection.receive();
      if (renew_ && connection.finished()) {
        connection = Connection(load_, port_, opened_++, spread_);
        watch(events[i].data.u64);
      } else {
        connection.send();
      }
    }
    if (load_.answers != answers_seen_) {
      answers_seen_ = load_.answers;
      progress_ns_ = now_ns();
    } else if (now_ns() - progress_ns_ > kPatience) {
      fail("no answer for 5 seconds");
    }
  }

  Load& load_;
  int port_;
  std::size_t count_;
  bool spin_;
  bool renew_;   // a connection that has said all is followed by a new one
  bool spread_;  // over many addresses of the client
  int epoll_;
  std::vector<Connection> connections_;
  std::uint64_t opened_ = 0;
  std::uint64_t answers_seen_ = 0;
  std::uint64_t progress_ns_ = now_ns();
};

void hold_idle(Crowd& crowd, const ServerProcess& server, long count, std::chrono::milliseconds length) {
  const double before = server.resident_bytes();
  const std::uint64_t begin = now_ns();
  crowd.open_gently();
  const double seconds = static_cast<double>(now_ns() - begin) / 1e9;
  const double used = server.cpu_seconds();
  std::this_thread::sleep_for(length);
  std::printf("{\"bytes_per_connection\": %.0f, \"opened_per_s\": %.0f, \"idle_cpu_percent\": %.2f}\n",
              (server.resident_bytes() - before) / static_cast<double>(count), static_cast<double>(count) / seconds,
              (server.cpu_seconds() - used) / std::chrono::duration<double>(length).count() * 100);
}

void keep_busy(Crowd& crowd, Load& load, const ServerProcess& server, std::chrono::nanoseconds length) {
  crowd.open_all();
  const auto window = static_cast<std::uint64_t>(length.count());
  crowd.serve_until(now_ns() + window / 5);
  load.latency.clear();
  const std::uint64_t begin = now_ns(), answers = load.answers;
  const double used = server.cpu_seconds();
  // A short window may pass without an answer on a busy machine. That none comes at all is noticed elsewhere.
  do crowd.serve_until(now_ns() + window);
  while (load.answers == answers);
  const double seconds = static_cast<double>(now_ns() - begin) / 1e9;
  const auto done = static_cast<double>(load.answers - answers);
  std::printf("{\"per_s\": %.0f, \"server_us\": %.3f, \"p50_us\": %.1f, \"p99_us\": %.1f}\n", done / seconds,
              (server.cpu_seconds() - used) / done * 1e6, load.latency.quantile_us(0.5),
              load.latency.quantile_us(0.99));
}

}  // namespace

int main(int argc, char** argv) {
  const Arguments arguments(argc, argv,
                            "bench_load PORT [--conns 64] [--size 64] [--depth 1] [--ms 1000] [--pid SERVER] "
                            "[--frames 1] [--spin 1] [--churn K] [--idle 1]",
                            {"conns", "size", "depth", "ms", "pid", "frames", "spin", "churn", "idle"});
  raise_file_limit();
  const bool idle = arguments.number("idle", 0) != 0;
  const Script script(static_cast<std::size_t>(arguments.number("size", 64)), arguments.number("frames", 0) != 0);
  Load load{script};
  load.depth = static_cast<std::uint64_t>(arguments.number("depth", 1));
  if (const long most = idle ? 1 : arguments.number("churn", 0)) load.most = static_cast<std::uint64_t>(most);
  const ServerProcess server(arguments.number("pid", 0));
  Crowd crowd(arguments, load);
  const std::chrono::milliseconds length(arguments.number("ms", 1000));
  if (idle)
    hold_idle(crowd, server, arguments.number("conns", 64), length);
  else
    keep_busy(crowd, load, server, length);
}
