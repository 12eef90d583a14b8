// libpq, against a PostgreSQL of our own: one thread, as many conversations as there are fibers.
#include <libpq-fe.h>
#include <poll.h>
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <hawser/base/errors.h>
#include <hawser/fiber/cancellation.h>
#include <hawser/fiber/deadline.h>
#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>
#include <hawser/fiber/task_group.h>

#include "patch/ends.h"

namespace hawser {
namespace {

using namespace std::chrono_literals;

// As a program in C++ would wrap it: a failure is thrown, and where the fiber was stopped, that is what is thrown.
class Database {
 public:
  explicit Database(const std::string& where = "") : connection_(::PQconnectdb(where.c_str()), &::PQfinish) {
    check(::PQstatus(connection_.get()) == CONNECTION_OK);
  }
  std::string ask(const std::string& sql) {
    const std::unique_ptr<PGresult, decltype(&::PQclear)> result(::PQexec(connection_.get(), sql.c_str()), &::PQclear);
    const ExecStatusType status = ::PQresultStatus(result.get());
    check(status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK);
    return ::PQntuples(result.get()) > 0 ? ::PQgetvalue(result.get(), 0, 0) : "";
  }
  [[nodiscard]] PGconn* get() const { return connection_.get(); }

 private:
  void check(bool good) const {
    if (good) return;
    check_cancelled();
    throw std::runtime_error(::PQerrorMessage(connection_.get()));
  }
  std::unique_ptr<PGconn, decltype(&::PQfinish)> connection_;
};

// A query that ends only when so many sessions have come to it. Nobody's arrival is taken back: sequences know no
// transactions.
std::string meeting_of(int count, const std::string& name) {
  return "DO $$ BEGIN PERFORM nextval('" + name + "'); WHILE (SELECT last_value FROM " + name + ") < " +
         std::to_string(count) + " LOOP PERFORM pg_sleep(0.01); END LOOP; END $$";
}
void prepare_meeting(const std::string& name) {
  Database().ask("SET client_min_messages = error; DROP SEQUENCE IF EXISTS " + name + "; CREATE SEQUENCE " + name);
}

TEST(postgres, a_hundred_sleeps_of_a_tenth_of_a_second_on_one_thread_are_not_ten_seconds) {
  run([] {
    constexpr int kQueries = 100;
    TaskGroup group;
    std::vector<std::unique_ptr<Database>> databases;
    for (int i = 0; i < kQueries; ++i) databases.push_back(std::make_unique<Database>());
    const auto begin = Clock::now();
    for (auto& database : databases) {
      group.spawn([&database] { database->ask("SELECT pg_sleep(0.1)"); });
    }
    group.join();
    const auto took = Clock::now() - begin;
    ::testing::Test::RecordProperty("milliseconds", static_cast<int>(took / 1ms));
    std::printf("100 queries of pg_sleep(0.1): %d ms\n", static_cast<int>(took / 1ms));
    EXPECT_LT(took, 5s);
  });
}

TEST(postgres, sessions_on_one_thread_meet) {
  run([] {
    constexpr int kSessions = 40;
    prepare_meeting("on_one_thread");
    TaskGroup group;
    for (int i = 0; i < kSessions; ++i) {
      group.spawn([] { Database().ask(meeting_of(kSessions, "on_one_thread")); });
    }
    group.join();
  });
}

TEST(postgres, speaks_TLS_on_a_fibers_stack_and_over_a_UNIX_socket) {
  run([] {
    TaskGroup group;
    group.spawn([] {
      Database database("sslmode=require");
      EXPECT_NE(::PQgetssl(database.get()), nullptr);
      EXPECT_EQ(database.ask("SELECT repeat('x', 3000000)").size(), 3'000'000U);
    });
    group.spawn([] {
      Database database("host=" + std::string(std::getenv("HAWSER_POSTGRES_FOLDER")));
      EXPECT_EQ(database.ask("SELECT inet_client_addr()"), "");
    });
    group.spawn([] { EXPECT_EQ(Database("host=localhost").ask("SELECT 6 * 7"), "42"); });
    group.join();
  });
}

TEST(postgres, a_killed_query_is_left_and_its_connection_closed) {
  run([] {
    Database watcher;
    const auto others = [&] {
      return std::stoi(
          watcher.ask("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(1000%'"
                      " AND pid <> pg_backend_pid()"));
    };
    {
      Database warm;  // what libpq opens once and for all
      warm.ask("SELECT 1");
    }
    const int before = testing::open_descriptors();
    std::vector<Task<void>> tasks;
    for (int i = 0; i < 20; ++i) {
      tasks.push_back(spawn([] { Database().ask("SELECT pg_sleep(1000)"); }));
    }
    while (others() < 20) sleep(5ms);
    for (Task<void>& task : tasks) task.kill();
    for (Task<void>& task : tasks) {
      task.join();
      EXPECT_THROW(task.get(), Cancelled);
    }
    EXPECT_EQ(testing::open_descriptors(), before);
    while (others() > 0) sleep(5ms);  // the server has seen them go
  });
}

TEST(postgres, a_deadline_ends_a_query) {
  run([] {
    Database().ask("SELECT 1");  // opens what stays open
    const int before = testing::open_descriptors();
    try {
      const Deadline budget(100ms, "query");
      Database().ask("SELECT pg_sleep(1000)");
      FAIL();
    } catch (const DeadlineExceeded& late) {
      EXPECT_NE(std::string(late.what()).find("query"), std::string::npos);
    }
    EXPECT_EQ(testing::open_descriptors(), before);
    EXPECT_EQ(Database().ask("SELECT 1"), "1");
  });
}

TEST(postgres, notifications_come_to_who_polls) {
  run([] {
    Database listener;
    listener.ask("LISTEN news");
    TaskGroup group;
    group.spawn([&] {
      for (;;) {  // as libpq's manual does it
        pollfd one{::PQsocket(listener.get()), POLLIN, 0};
        ASSERT_EQ(::poll(&one, 1, -1), 1);
        ASSERT_EQ(::PQconsumeInput(listener.get()), 1);
        if (PGnotify* note = ::PQnotifies(listener.get())) {
          EXPECT_STREQ(note->extra, "hello");
          ::PQfreemem(note);
          return;
        }
      }
    });
    group.spawn([] { Database().ask("NOTIFY news, 'hello'"); });
    group.join();
  });
}

TEST(postgres, large_copies_go_both_ways_at_once) {
  run([] {
    Database setup;
    setup.ask("CREATE TABLE copied (owner int, line text)");
    TaskGroup group;
    for (int owner = 0; owner < 4; ++owner) {
      group.spawn([owner] {
        Database database;
        ::PQclear(::PQexec(database.get(), "COPY copied FROM STDIN"));
        const std::string line = std::to_string(owner) + "\t" + std::string(1000, 'x') + "\n";
        for (int i = 0; i < 3000; ++i) {
          ASSERT_EQ(::PQputCopyData(database.get(), line.data(), static_cast<int>(line.size())), 1);
        }
        ASSERT_EQ(::PQputCopyEnd(database.get(), nullptr), 1);
        while (PGresult* result = ::PQgetResult(database.get())) {
          EXPECT_EQ(::PQresultStatus(result), PGRES_COMMAND_OK);
          ::PQclear(result);
        }
        EXPECT_EQ(database.ask("SELECT count(*) FROM copied WHERE owner = " + std::to_string(owner)), "3000");
      });
    }
    group.join();
    setup.ask("DROP TABLE copied");
  });
}

TEST(postgres, what_cannot_be_reached_is_told) {
  run([] {
    EXPECT_THROW(Database("port=1 host=127.0.0.1"), std::runtime_error);
    EXPECT_THROW(Database("host=no.such.host.invalid"), std::runtime_error);
    EXPECT_THROW(Database("dbname=nothing"), std::runtime_error);
  });
}

TEST(postgres, plain_threads_go_on_beside_fibers) {
  constexpr int kThreads = 4, kFibers = 4;
  prepare_meeting("of_both_kinds");
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([] { Database().ask(meeting_of(kThreads + kFibers, "of_both_kinds")); });
  }
  run([] {
    TaskGroup group;
    for (int i = 0; i < kFibers; ++i) {
      group.spawn([] { Database().ask(meeting_of(kThreads + kFibers, "of_both_kinds")); });
    }
    group.join();
  });
  for (std::thread& thread : threads) thread.join();
}

TEST(postgres, a_hundred_connections_with_256_descriptors) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit few = before;
  few.rlim_cur = 256;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  run([] {
    prepare_meeting("with_few_descriptors");
    TaskGroup group;
    for (int i = 0; i < 100; ++i) {
      group.spawn([] { Database().ask(meeting_of(100, "with_few_descriptors")); });
    }
    group.join();
  });
  ::setrlimit(RLIMIT_NOFILE, &before);
}

TEST(postgres, short_queries_for_many_rounds) {
  run({.loops = 2}, [] {
    TaskGroup group;
    for (int i = 0; i < 16; ++i) {
      group.spawn([i] {
        Database database;
        for (int round = 0; round < 200; ++round) {
          const std::string number = std::to_string(i * 1000 + round);
          ASSERT_EQ(database.ask("SELECT " + number), number);
        }
      });
    }
    group.join();
  });
}

}  // namespace
}  // namespace hawser
