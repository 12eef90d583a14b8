// libcurl's easy interface, against a Python server of our own.
#include <curl/curl.h>

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

const CURLcode g_started = ::curl_global_init(CURL_GLOBAL_ALL);

struct Answer {
  CURLcode code;
  long status;
  std::string body;
};

std::string url(const std::string& path, const std::string& host = "127.0.0.1") {
  return "http://" + host + ":" + std::getenv("HTTP_PORT") + path;
}

Answer fetch(const std::string& from, long milliseconds = 0) {
  EXPECT_EQ(g_started, CURLE_OK);
  const std::unique_ptr<CURL, decltype(&::curl_easy_cleanup)> curl(::curl_easy_init(), &::curl_easy_cleanup);
  Answer answer{};
  ::curl_easy_setopt(curl.get(), CURLOPT_URL, from.c_str());
  ::curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  ::curl_easy_setopt(curl.get(), CURLOPT_FOLLOWLOCATION, 1L);
  ::curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, milliseconds);
  ::curl_easy_setopt(curl.get(), CURLOPT_NOPROXY, "*");
  ::curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &answer.body);
  ::curl_easy_setopt(
      curl.get(), CURLOPT_WRITEFUNCTION, +[](char* data, std::size_t one, std::size_t count, void* body) {
        static_cast<std::string*>(body)->append(data, one * count);
        return one * count;
      });
  answer.code = ::curl_easy_perform(curl.get());
  ::curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &answer.status);
  return answer;
}

// As a program in C++ would wrap it.
Answer fetch_or_throw(const std::string& from) {
  Answer answer = fetch(from);
  if (answer.code != CURLE_OK) check_cancelled();
  return answer;
}

TEST(http, requests_on_one_thread_meet_at_the_server) {
  run([] {
    TaskGroup group;
    for (int i = 0; i < 30; ++i) {
      group.spawn([] {
        const Answer answer = fetch(url("/meet/30"));
        EXPECT_EQ(answer.code, CURLE_OK);
        EXPECT_EQ(answer.body, "30\n");
      });
    }
    group.join();
  });
}

TEST(http, large_answers_and_redirects) {
  run([] {
    TaskGroup group;
    for (int i = 0; i < 5; ++i) {
      group.spawn([] {
        const Answer answer = fetch(url("/to/text/2000000"));
        EXPECT_EQ(answer.code, CURLE_OK);
        EXPECT_EQ(answer.status, 200);
        EXPECT_EQ(answer.body.size(), 2'000'000U);
      });
    }
    group.spawn([] { EXPECT_EQ(fetch(url("/nothing")).status, 404); });
    group.join();
  });
}

TEST(http, a_slow_answer_holds_nobody_up) {
  run([] {
    bool slow_is_there = false;
    Task<void> slow = spawn([&] {
      EXPECT_EQ(fetch(url("/meet/2")).code, CURLE_OK);  // until somebody else asks the same
      slow_is_there = true;
    });
    yield();
    for (int i = 0; i < 5; ++i) EXPECT_EQ(fetch(url("/text/1")).body, "x");
    EXPECT_FALSE(slow_is_there);
    EXPECT_EQ(fetch(url("/meet/2")).code, CURLE_OK);
    slow.get();
  });
}

TEST(http, its_own_timeout_holds_and_what_cannot_be_reached_is_told) {
  run([] {
    EXPECT_EQ(fetch(url("/never"), 50).code, CURLE_OPERATION_TIMEDOUT);
    EXPECT_EQ(fetch("http://127.0.0.1:1/").code, CURLE_COULDNT_CONNECT);
    EXPECT_EQ(fetch("http://no.such.host.invalid/").code, CURLE_COULDNT_RESOLVE_HOST);
  });
}

TEST(http, names_are_resolved_by_threads_of_its_own) {
  run([] {
    TaskGroup group;
    for (int i = 0; i < 8; ++i) {
      group.spawn([] { EXPECT_EQ(fetch(url("/text/3", "localhost")).body, "xxx"); });
    }
    group.join();
  });
}

TEST(http, a_killed_fiber_and_one_beyond_its_deadline_leave_nothing_behind) {
  run([] {
    fetch(url("/text/1"));
    const int before = testing::open_descriptors();
    for (int i = 0; i < 10; ++i) {
      Task<void> waiting = spawn([] { fetch_or_throw(url("/never")); });
      for (int turns = 0; turns < i; ++turns) sleep(500us);
      waiting.kill();
      waiting.join();
      EXPECT_THROW(waiting.get(), Cancelled);
    }
    {
      const Deadline budget(50ms);
      EXPECT_THROW(fetch_or_throw(url("/never")), DeadlineExceeded);
    }
    EXPECT_EQ(testing::open_descriptors(), before);
  });
}

}  // namespace
}  // namespace hawser
