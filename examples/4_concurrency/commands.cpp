// Running other programs: to the end with a time limit, as a pipe to talk to, and one that takes too long.
#include <chrono>
#include <cstdio>

#include <hawser/fiber/run.h>
#include <hawser/process/run_command.h>

using namespace hawser;
using namespace std::chrono_literals;

int main() {
  return run([] {
    const Completed listing = run_command({"ls", "-l", "/"}, {.capture = true, .timeout = 10s});
    std::printf("ls wrote %zu bytes and ended with %d\n", listing.out.size(), listing.return_code);

    Popen sorter({"sort"}, {.stdin_ = Pipe::open, .stdout_ = Pipe::open});
    auto [sorted, nothing] = sorter.communicate("pear\napple\nplum\n");
    std::printf("sorted:\n%s", sorted.str().c_str());

    // `own` makes a group of the shell and all it starts, so that the end of the time is the end of all of them.
    try {
      run_command(Command::shell("echo started; sleep 100 | cat"),
                  {.capture = true, .timeout = 500ms, .group = ProcessGroup::own});
    } catch (const CommandTimedOut& late) {
      std::printf("%s, after it wrote: %s", late.what(), late.output().out.str().c_str());
    }

    try {
      run_command({"no-such-program"});
    } catch (const SystemError& error) {
      std::printf("%s\n", error.what());
    }
    return 0;
  });
}
