// hiredis, against a Redis of our own.
#include <hiredis/hiredis.h>

#include <cerrno>
#include <cstdlib>
#include <memory>
#include <string>

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

class Store {
 public:
  enum class Way { tcp, unix_socket, with_timeout };
  explicit Store(Way way = Way::tcp) : context_(open(way), &::redisFree) { check(context_ && context_->err == 0); }
  template <class... Arguments>
  std::string ask(const char* command, Arguments... arguments) {
    auto* raw = static_cast<redisReply*>(::redisCommand(context_.get(), command, arguments...));
    const std::unique_ptr<redisReply, decltype(&::freeReplyObject)> reply(raw, &::freeReplyObject);
    check(raw != nullptr);
    switch (raw->type) {
      case REDIS_REPLY_INTEGER:
        return std::to_string(raw->integer);
      case REDIS_REPLY_ARRAY:
        return std::string(raw->element[raw->elements - 1]->str, raw->element[raw->elements - 1]->len);
      case REDIS_REPLY_NIL:
        return "nil";
      default:
        return std::string(raw->str, raw->len);
    }
  }
  [[nodiscard]] redisContext* get() const { return context_.get(); }

 private:
  static redisContext* open(Way way) {
    const int port = std::atoi(std::getenv("REDIS_PORT"));
    if (way == Way::unix_socket) return ::redisConnectUnix(std::getenv("REDIS_SOCKET"));
    if (way == Way::with_timeout) return ::redisConnectWithTimeout("localhost", port, {.tv_sec = 30, .tv_usec = 0});
    return ::redisConnect("127.0.0.1", port);
  }
  void check(bool good) const {
    if (good) return;
    check_cancelled();
    throw std::runtime_error(context_ ? context_->errstr : "no memory");
  }
  std::unique_ptr<redisContext, decltype(&::redisFree)> context_;
};

TEST(redis, one_fiber_waits_for_what_another_pushes) {
  run([] {
    TaskGroup group;
    group.spawn([] { EXPECT_EQ(Store().ask("BLPOP letters 0"), "hello"); });
    group.spawn([] { EXPECT_EQ(Store(Store::Way::unix_socket).ask("RPUSH letters hello"), "1"); });
    group.join();
  });
}

TEST(redis, many_rounds_of_push_and_pop_on_one_thread) {
  run([] {
    TaskGroup group;
    for (int pair = 0; pair < 8; ++pair) {
      group.spawn([pair] {
        Store store(Store::Way::with_timeout);
        for (int i = 0; i < 300; ++i) {
          store.ask("RPUSH there%d %d", pair, i);
          ASSERT_EQ(store.ask("BLPOP back%d 0", pair), std::to_string(i));
        }
      });
      group.spawn([pair] {
        Store store;
        for (int i = 0; i < 300; ++i) {
          const std::string got = store.ask("BLPOP there%d 0", pair);
          store.ask("RPUSH back%d %s", pair, got.c_str());
        }
      });
    }
    group.join();
  });
}

TEST(redis, its_own_timeout_holds) {
  run([] {
    Store store;
    ASSERT_EQ(::redisSetTimeout(store.get(), {.tv_sec = 0, .tv_usec = 20'000}), REDIS_OK);
    EXPECT_EQ(::redisCommand(store.get(), "BLPOP nothing 0"), nullptr);
    EXPECT_EQ(store.get()->err, REDIS_ERR_IO);
  });
}

TEST(redis, a_pipeline_larger_than_the_socket_takes) {
  run([] {
    Store store;
    const std::string value(100'000, 'v');
    for (int i = 0; i < 100; ++i) {
      ASSERT_EQ(::redisAppendCommand(store.get(), "SET key%d %b", i, value.data(), value.size()), REDIS_OK);
    }
    for (int i = 0; i < 100; ++i) {
      void* reply = nullptr;
      ASSERT_EQ(::redisGetReply(store.get(), &reply), REDIS_OK);
      ::freeReplyObject(reply);
    }
    EXPECT_EQ(store.ask("STRLEN key99"), "100000");
    store.ask("FLUSHALL");
  });
}

TEST(redis, a_killed_fiber_and_one_beyond_its_deadline_leave_nothing_behind) {
  run([] {
    Store().ask("PING");
    const int before = testing::open_descriptors();
    Task<void> waiting = spawn([] { Store().ask("BLPOP never 0"); });
    Store watcher;
    while (watcher.ask("CLIENT LIST").find("cmd=blpop") == std::string::npos) sleep(2ms);
    waiting.kill();
    waiting.join();
    EXPECT_THROW(waiting.get(), Cancelled);
    {
      const Deadline budget(30ms);
      EXPECT_THROW(Store().ask("BLPOP never 0"), DeadlineExceeded);
    }
    while (watcher.ask("CLIENT LIST").find("cmd=blpop") != std::string::npos) sleep(2ms);
    EXPECT_EQ(testing::open_descriptors(), before + 1);  // the watcher's
  });
}

TEST(redis, nobody_there_is_told) {
  run([] {
    redisContext* context = ::redisConnect("127.0.0.1", 1);
    ASSERT_NE(context, nullptr);
    EXPECT_EQ(context->err, REDIS_ERR_IO);
    ::redisFree(context);
  });
}

}  // namespace
}  // namespace hawser
