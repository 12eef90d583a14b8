// OverflowReport: while it lives, a fiber of this thread's loop that runs off its stack is named on standard error
// before the process dies of SIGSEGV. Internal. Leaves a handler that the program itself has installed alone. Under a
// sanitizer the report is the sanitizer's, with the fiber's name at its end.
#pragma once

#include <memory>

namespace hawser::detail {

class Loop;

class OverflowReport {
 public:
  explicit OverflowReport(const Loop& loop);
  OverflowReport(const OverflowReport&) = delete;
  OverflowReport& operator=(const OverflowReport&) = delete;
  ~OverflowReport();

 private:
  struct AlternateStack;
  std::unique_ptr<AlternateStack> stack_;
};

}  // namespace hawser::detail
