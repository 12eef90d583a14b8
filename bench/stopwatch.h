// Prints what a step costs: "group <TAB> what <TAB> nanoseconds".
#pragma once

#include <chrono>
#include <cstdio>

class Stopwatch {
 public:
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }
  void report(const char* group, const char* what, double steps) const {
    std::printf("%s\t%s\t%.2f\n", group, what, seconds() * 1e9 / steps);
    std::fflush(stdout);
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};
