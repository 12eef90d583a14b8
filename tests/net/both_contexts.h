// Runs one test body in a fiber and on a plain thread: what is promised for both is tested in both.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <exception>
#include <functional>
#include <optional>
#include <thread>
#include <utility>

#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>

namespace hawser::testing {

using namespace std::chrono_literals;

enum class ContextKind { fiber, thread };

// The body of the test, in the context.
inline void run_in_context(ContextKind kind, const std::function<void()>& body) {
  if (kind == ContextKind::fiber) {
    run([&] { body(); });
  } else {
    body();
  }
}

// Another flow of control, in a fiber or on a thread, joined by get() or by its end.
class Peer {
 public:
  Peer(ContextKind kind, std::function<void()> body) {
    if (kind == ContextKind::fiber) {
      task_ = spawn(std::move(body));
    } else {
      thread_ = std::thread([this, body = std::move(body)] {
        try {
          body();
        } catch (...) {
          error_ = std::current_exception();
        }
      });
    }
  }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  ~Peer() {
    if (thread_.joinable()) thread_.join();
    if (task_.valid()) task_.join();
  }
  // Waits; rethrows what the body threw.
  void get() {
    if (task_.valid()) return task_.get();
    thread_.join();
    if (error_) std::rethrow_exception(error_);
  }

 private:
  Task<void> task_;
  std::thread thread_;
  std::exception_ptr error_;
};

class BothContexts : public ::testing::TestWithParam<ContextKind> {
 protected:
  static void in_context(const std::function<void()>& body) { run_in_context(GetParam(), body); }
  // Another flow of control of the same kind.
  [[nodiscard]] static Peer peer(std::function<void()> body) { return {GetParam(), std::move(body)}; }
};

inline std::string context_name(const ::testing::TestParamInfo<ContextKind>& info) {
  return info.param == ContextKind::fiber ? "fiber" : "thread";
}

}  // namespace hawser::testing

#define HAWSER_IN_BOTH_CONTEXTS(suite)                                                                             \
  INSTANTIATE_TEST_SUITE_P(                                                                                        \
      in, suite, ::testing::Values(::hawser::testing::ContextKind::fiber, ::hawser::testing::ContextKind::thread), \
      ::hawser::testing::context_name)
