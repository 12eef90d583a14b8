// Queries to PostgreSQL by libpq, as blocking calls: on fibers of one thread, with patch/, or on a thread for each.
//
//   bench_queries fibers|threads --conns N [--ms LENGTH] [--sleep 1]
//
// Each connection asks SELECT 1 again and again, for so long; with --sleep 1 each only waits in pg_sleep, and what is
// told is what a waiting one takes of memory. The server is where libpq's variables say.
#include <libpq-fe.h>
#include <sys/resource.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <hawser/base/clock.h>
#include <hawser/fiber/run.h>
#include <hawser/fiber/task_group.h>

#include "arguments.h"

namespace {

using hawser::Clock;

double cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

long resident_bytes() {
  long pages = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  return resident * 4096;
}

[[noreturn]] void give_up(PGconn* connection) {
  std::fprintf(stderr, "bench_queries: %s\n", PQerrorMessage(connection));
  std::exit(1);
}

void ask(PGconn* connection, const char* sql) {
  PGresult* result = PQexec(connection, sql);
  if (PQresultStatus(result) != PGRES_TUPLES_OK) give_up(connection);
  PQclear(result);
}

class Crowd {
 public:
  Crowd(bool fibers, int count) : fibers_(fibers) {
    for (int i = 0; i < count; ++i) {
      connections_.push_back(PQconnectdb(""));
      if (PQstatus(connections_.back()) != CONNECTION_OK) give_up(connections_.back());
      ask(connections_.back(), "SELECT 1");
    }
  }
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;
  ~Crowd() {
    for (PGconn* connection : connections_) PQfinish(connection);
  }

  // body(connection) on each, at the same time.
  template <class Body>
  void each(const Body& body) const {
    if (fibers_) {
      hawser::run([&] {
        hawser::TaskGroup group;
        for (PGconn* connection : connections_) group.spawn([&body, connection] { body(connection); });
        group.join();
      });
      return;
    }
    std::vector<std::thread> threads;
    for (PGconn* connection : connections_) threads.emplace_back([&body, connection] { body(connection); });
    for (std::thread& thread : threads) thread.join();
  }

 private:
  bool fibers_;
  std::vector<PGconn*> connections_;
};

void rate(const Crowd& crowd, long milliseconds) {
  std::atomic<long> answers{0};
  const double cpu = cpu_seconds();
  const auto begin = Clock::now();
  const auto end = begin + std::chrono::milliseconds(milliseconds);
  crowd.each([&](PGconn* connection) {
    long mine = 0;
    for (; Clock::now() < end; ++mine) ask(connection, "SELECT 1");
    answers += mine;
  });
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  std::printf("{\"per_s\": %.1f, \"client_us\": %.2f}\n", static_cast<double>(answers) / seconds,
              (cpu_seconds() - cpu) * 1e6 / static_cast<double>(answers));
}

void wait_together(const Crowd& crowd, long count) {
  const long before = resident_bytes();
  std::atomic<long> most{0};
  const auto begin = Clock::now();
  crowd.each([&](PGconn* connection) {
    ask(connection, "SELECT pg_sleep(0.5)");
    const long now = resident_bytes();  // nobody's stack is given back before the end
    long seen = most;
    while (now > seen && !most.compare_exchange_weak(seen, now)) {
    }
  });
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  std::printf("{\"bytes_each\": %.0f, \"all_s\": %.3f}\n",
              static_cast<double>(most - before) / static_cast<double>(count), seconds);
}

}  // namespace

int main(int argc, char** argv) {
  const Arguments arguments(argc, argv, "bench_queries fibers|threads --conns N [--ms LENGTH] [--sleep 1]",
                            {"conns", "ms", "sleep"});
  const long count = arguments.number("conns", 64);
  const Crowd crowd(arguments.word(0) == "fibers", static_cast<int>(count));
  if (arguments.number("sleep", 0)) {
    wait_together(crowd, count);
  } else {
    rate(crowd, arguments.number("ms", 1000));
  }
}
