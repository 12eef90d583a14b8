// Two fibers of one thread pass a number to and fro through Redis, by hiredis's blocking calls.
//
//   redis_ping_pong PORT [ROUNDS]
//
// Without hawser::patch the first BLPOP would block the thread, and with it the fiber that was to push.
#include <hawser/hawser.h>
#include <hiredis/hiredis.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>

using namespace hawser;

class Redis {
 public:
  explicit Redis(int port) : context_(redisConnect("127.0.0.1", port), &redisFree) {
    if (!context_ || context_->err) fail();
  }
  void push(const char* list, int number) { command("RPUSH %s %d", list, number); }
  int pop(const char* list) {
    const Reply reply = command("BLPOP %s 0", list);
    return std::atoi(reply->element[1]->str);
  }

 private:
  using Reply = std::unique_ptr<redisReply, decltype(&freeReplyObject)>;

  template <class... Arguments>
  Reply command(const char* format, Arguments... arguments) {
    Reply reply(static_cast<redisReply*>(redisCommand(context_.get(), format, arguments...)), &freeReplyObject);
    if (!reply) fail();
    return reply;
  }
  [[noreturn]] void fail() const {
    check_cancelled();
    throw std::runtime_error(context_ ? context_->errstr : "no memory");
  }
  std::unique_ptr<redisContext, decltype(&redisFree)> context_;
};

int main(int argc, char** argv) try {
  const int port = argc > 1 ? std::atoi(argv[1]) : 6379;
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 3;
  return run([&] {
    Task<void> other = spawn([&] {
      Redis redis(port);
      for (int i = 0; i < rounds; ++i) redis.push("pong", redis.pop("ping") + 1);
    });
    Redis redis(port);
    int number = 0;
    for (int i = 0; i < rounds; ++i) {
      redis.push("ping", number);
      number = redis.pop("pong");
    }
    other.get();
    std::printf("after %d rounds: %d\n", rounds, number);
  });
} catch (const std::exception& error) {
  std::fprintf(stderr, "redis_ping_pong: %s\n", error.what());
  return 1;
}
