// A server that serves beside a test, in a fiber or on a thread, and what clients of it need.
#pragma once

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <exception>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <hawser/base/log.h>
#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>
#include <hawser/net/connect.h>
#include <hawser/serve/server.h>

namespace hawser::testing {

inline const Endpoint kAnyPort{"127.0.0.1", 0};

inline void echo(Socket& peer) {
  while (Bytes data = peer.recv(1024)) peer.send_all(data);
}

// In a fiber when made in one, and on a thread otherwise.
class Serving {
 public:
  explicit Serving(Server& server) : server_(server) {
    if (in_fiber()) {
      task_ = spawn([&server] { server.serve_forever(); });
    } else {
      thread_ = std::thread([this] {
        try {
          server_.serve_forever();
        } catch (...) {
          error_ = std::current_exception();
        }
      });
    }
  }
  Serving(const Serving&) = delete;
  Serving& operator=(const Serving&) = delete;
  ~Serving() {
    server_.request_stop();
    wait();
  }
  // Rethrows what serve_forever() threw.
  void stop() {
    server_.request_stop();
    end();
  }
  // Waits until it ends by itself.
  void end() {
    wait();
    if (task_.valid()) task_.get();
    if (error_) std::rethrow_exception(error_);
  }

 private:
  void wait() {
    if (task_.valid()) task_.join();
    if (thread_.joinable()) thread_.join();
  }
  Server& server_;
  Task<void> task_;
  std::thread thread_;
  std::exception_ptr error_;
};

// The lines that the library logs meanwhile.
class Log {
 public:
  Log() {
    set_log_sink([this](LogLevel, std::string_view line) {
      const std::lock_guard hold(mutex_);
      lines_.emplace_back(line);
    });
  }
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  ~Log() { set_log_sink({}); }
  std::vector<std::string> lines() {
    const std::lock_guard hold(mutex_);
    return lines_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> lines_;
};

// Sends text, says that it is all, and reads to the end.
inline std::string converse(const Address& address, std::string_view text) {
  Socket client = connect(address);
  client.send_all(text);
  client.shutdown_write();
  std::string all;
  while (Bytes data = client.recv(1 << 16)) all += data.view();
  return all;
}

// Raises the soft limit on descriptors as far as it goes; how many there may be.
inline std::size_t descriptors() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr int kSlower = 10;  // counts are divided by that
#else
inline constexpr int kSlower = 1;
#endif

}  // namespace hawser::testing
