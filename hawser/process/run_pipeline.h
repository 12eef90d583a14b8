// run_pipeline: runs commands of which each reads what the one before it writes, like `a | b | c` in a shell.
//
//   CompletedPipeline done = run_pipeline({{"cat", "/etc/passwd"}, {"sort"}, {"head", "-n", "3"}}, {.capture = true});
//
// Input goes to the first, `out` comes from the last and `err` from all of them, as it came. Waits for the end of each.
// Any may end before the others: one that writes to one that has gone is ended by SIGPIPE, as it would be in a shell.
// When the time is up, all are killed (with their groups: each has its own when options.group says so) and
// CommandTimedOut is thrown, with what was written so far. The same before DeadlineExceeded or Cancelled passes on.
// Whoever wants to hold the ends himself builds it of Popen and Pipe::to(first.output()).
#pragma once

#include <memory>
#include <stdexcept>
#include <vector>

#include <hawser/base/bytes.h>
#include <hawser/process/run_command.h>

namespace hawser {

struct CompletedPipeline {
  std::vector<Command> commands;
  std::vector<int> return_codes;  // one for each; -N when signal N ended it
  Bytes out;
  Bytes err;
  bool truncated = false;
  // All have returned 0, but that others than the last may have met SIGPIPE, for whoever reads them may stop early.
  [[nodiscard]] bool ok() const noexcept;
};

// `sort missing | head: exit 2, exit 0`. Thrown with options.check unless the pipeline was ok().
class PipelineFailed : public std::runtime_error {
 public:
  explicit PipelineFailed(CompletedPipeline completed);
  [[nodiscard]] const CompletedPipeline& completed() const noexcept { return *completed_; }

 private:
  std::shared_ptr<const CompletedPipeline> completed_;
};

// Throws what run_command() throws, PipelineFailed for CommandFailed; std::invalid_argument for no command at all.
// options.stdin_ is the first one's, stdout_ the last one's, everything else is for all.
CompletedPipeline run_pipeline(std::vector<Command> commands, CommandOptions options = {});

}  // namespace hawser
