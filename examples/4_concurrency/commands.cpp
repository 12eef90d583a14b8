// Running other programs: to the end with a time limit, as text, as a pipe to talk to, in a group, with files.
#include <chrono>
#include <cstdio>

#include <hawser/fiber/run.h>
#include <hawser/net/buffered_reader.h>
#include <hawser/process/run_command.h>

using namespace hawser;
using namespace std::chrono_literals;

namespace {

void to_the_end() {
  const Completed listing = run_command({"ls", "-l", "/"}, {.capture = true, .timeout = 10s});
  std::printf("ls wrote %zu bytes and ended with %d\n", listing.out.size(), listing.return_code);

  // The words go to the program as they are. Only shell() has a shell, with its quotes, stars and semicolons.
  const std::string name = "a file; rm -rf /";
  std::printf("%s", run_command({"echo", name}, {.capture = true}).out.str().c_str());

  const Completed greeting = run_command(Command::shell(R"(printf '\304\343\272\303\n')"), {.capture = true});
  std::printf("%s", greeting.text("gbk").out.c_str());
}

void what_fails() {
  try {
    run_command(Command::shell("echo 'disk full' >&2; exit 3"), {.capture = true, .check = true});
  } catch (const CommandFailed& failed) {
    std::printf("%s, and it said: %s", failed.what(), failed.completed().text().err.c_str());
  }
  try {
    run_command({"no-such-program"});
  } catch (const SystemError& error) {
    std::printf("%s\n", error.what());
  }
  std::printf("a signal is negative: %d\n", run_command(Command::shell("kill -9 $$")).return_code);
}

void what_takes_too_long() {
  // `own` makes a group of the shell and all it starts, so that the end of the time is the end of all of them.
  try {
    run_command(Command::shell("echo started; sleep 100 | cat"),
                {.capture = true, .timeout = 500ms, .group = ProcessGroup::own});
  } catch (const CommandTimedOut& late) {
    std::printf("%s, after it wrote: %s", late.what(), late.output().out.str().c_str());
  }
}

void a_program_to_talk_to() {
  Popen sorter({"sort"}, {.stdin_ = Pipe::open, .stdout_ = Pipe::open});
  auto [sorted, nothing] = sorter.communicate("pear\napple\nplum\n");
  std::printf("sorted:\n%s", sorted.str().c_str());

  Popen calculator({"python3", "-u", "-c", "while line := input(): print(eval(line))"},
                   {.stdin_ = Pipe::open, .stdout_ = Pipe::open});
  BufferedReader answers(calculator.output());
  for (const char* question : {"6 * 7\n", "2 ** 100\n"}) {
    calculator.input().write_all(question);
    std::printf("%s", answers.read_line()->c_str());
  }
  std::printf("stopped: %d\n", calculator.stop(2s));
}

}  // namespace

int main() {
  return run([] {
    to_the_end();
    what_fails();
    what_takes_too_long();
    a_program_to_talk_to();
    return 0;
  });
}
