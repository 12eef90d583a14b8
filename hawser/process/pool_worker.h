// What the two ends of a ProcessPool's socket have agreed on, and the worker's end. Internal.
//
// To the worker: frames of a length (4 bytes) and a call; a length of 0 says "go on", after calls were taken back.
// From it: frames of a WorkerFrame and its bytes; one for each call that was run, in order.
//
// Calls are sent ahead. Which of them the worker has begun is told by a word of memory that both share: the worker
// raises the count before each call, and when the pool takes calls back, it adds kTakenBack, and no further call begins
// until a "go on" for each time has come. So the pool knows for certain what a dead worker ran, and can give calls that
// wait behind a long one to others, also when the worker has not yet heard of the last "go on".
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include <hawser/process/archive.h>

namespace hawser::detail {

struct WorkerPage {
  static constexpr std::uint64_t kTakenBack = std::uint64_t{1} << 48;  // below it the calls begun
  static constexpr std::uint64_t kMostTakenBack = 10'000;              // times, without a "go on" heard
  std::atomic<std::uint64_t> begun{0};
};

enum class WorkerSays : std::uint32_t { ready, broken, value, failure };

// What a failure may take whatever the limit of results: its type and its message, which is cut to fit.
inline constexpr std::uint32_t kMostOfFailure = std::uint32_t{64} << 10;

struct WorkerFrame {
  std::uint32_t length = 0;  // of the bytes that follow
  WorkerSays says = WorkerSays::ready;
  std::uint64_t nanoseconds = 0;  // that the call took
};

// What a worker is started with.
struct WorkerStart {
  int socket = -1;
  int page = -1;
  std::uint32_t limit = 0;  // the longest result
  std::string initializer;  // a call; empty: none
};

// Until the pool closes the socket.
void run_worker(ArchiveReader& start);

}  // namespace hawser::detail
