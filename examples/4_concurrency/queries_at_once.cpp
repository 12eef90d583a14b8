// A hundred queries at once on one thread, through libpq as it is.
//
//   queries_at_once [COUNT]       the server is where PGHOST, PGPORT, … say (libpq's own variables)
//
// Linked with hawser::patch, a call that would block the thread lets other fibers run instead.
#include <hawser/hawser.h>
#include <libpq-fe.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>

using namespace hawser;

using Session = std::unique_ptr<PGconn, decltype(&PQfinish)>;
using Result = std::unique_ptr<PGresult, decltype(&PQclear)>;

// A C library can only say that something failed. Was it because this fiber is to stop? Then that is thrown.
[[noreturn]] void fail(const Session& session) {
  check_cancelled();
  throw std::runtime_error(PQerrorMessage(session.get()));
}

std::string ask(const char* sql) {
  const Session session(PQconnectdb(""), &PQfinish);
  if (PQstatus(session.get()) != CONNECTION_OK) fail(session);
  const Result result(PQexec(session.get(), sql), &PQclear);
  if (PQresultStatus(result.get()) != PGRES_TUPLES_OK) fail(session);
  return PQgetvalue(result.get(), 0, 0);
}

int main(int argc, char** argv) try {
  const int count = argc > 1 ? std::atoi(argv[1]) : 100;
  return run([&] {
    const auto begin = Clock::now();
    TaskGroup group;
    for (int i = 0; i < count; ++i) group.spawn([] { ask("SELECT pg_sleep(0.1)"); });
    group.join();
    const std::chrono::duration<double> took = Clock::now() - begin;
    std::printf("%d queries that sleep for 0.1 s took %.1f s on one thread\n", count, took.count());
    try {
      const Deadline budget(std::chrono::milliseconds(200), "patience");
      ask("SELECT pg_sleep(60)");
    } catch (const DeadlineExceeded& late) {
      std::printf("%s\n", late.what());
    }
  });
} catch (const std::exception& error) {
  std::fprintf(stderr, "queries_at_once: %s\n", error.what());
  return 1;
}
