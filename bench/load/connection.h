// One connection of a load: keeps `depth` messages in flight, checks every byte that comes back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "latency.h"
#include "script.h"

// What the connections of a load have together.
struct Load {
  const Script& script;
  std::uint64_t depth = 1;
  std::uint64_t most = UINT64_MAX;  // messages on one connection
  Latency latency{};
  std::uint64_t answers = 0;
  std::vector<char> inbox = std::vector<char>(Script::kChunk);
};

class Connection {
 public:
  // Connects, from an address of its own 127.0.0.x when `spread`: a single one has too few ports for many connections
  // in a short time. `number` tells connections apart.
  Connection(Load& load, int port, std::uint64_t number, bool spread);
  Connection(Connection&& other) noexcept;
  Connection& operator=(Connection&& other) noexcept;
  ~Connection();

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] std::uint64_t answered() const { return answered_; }
  // All messages it may send are sent and answered.
  [[nodiscard]] bool finished() const { return answered_ == load_->most; }

  // Sends as much as depth and the socket allow.
  void send();
  // Takes what has arrived. Ends the program when a byte is wrong or the server has closed.
  void receive();

 private:
  void take_bytes(const char* bytes, std::size_t size);
  void take_frames(const char* bytes, std::size_t size);
  std::size_t take_header(const char* bytes, std::size_t size);
  void count_answers(std::uint64_t answered);

  Load* load_;
  std::uint64_t number_;
  int fd_ = -1;
  std::uint64_t sent_ = 0;  // bytes
  std::uint64_t received_ = 0;
  std::uint64_t begun_ = 0;  // messages
  std::uint64_t answered_ = 0;
  std::vector<std::uint64_t> begun_at_;

  // The answer under way, in frame mode.
  std::string header_;
  std::size_t body_at_ = 0;
  bool in_body_ = false;
};

[[noreturn]] void fail(const std::string& what);
[[noreturn]] void fail_with_errno(const std::string& what);
