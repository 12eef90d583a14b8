// Measures, and prints what a step costs: "group <TAB> what <TAB> nanoseconds".
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

// How many steps to measure: as many as the program would, or the share of them that HAWSER_BENCH_SCALE says, for a run
// that only shows that everything works.
inline long steps(long full) {
  static const char* const scale = std::getenv("HAWSER_BENCH_SCALE");
  return scale ? std::max(1L, static_cast<long>(static_cast<double>(full) * std::atof(scale))) : full;
}

inline void report(const char* group, const char* what, double nanoseconds) {
  std::printf("%s\t%s\t%.2f\n", group, what, nanoseconds);
  std::fflush(stdout);
}

class Stopwatch {
 public:
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }
  template <class Number>
  void report(const char* group, const char* what, Number steps) const {
    ::report(group, what, seconds() * 1e9 / static_cast<double>(steps));
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};
