// A shell on a pseudo-terminal: what it shows, its size, Ctrl-C and Ctrl-D.
#include <cstdio>
#include <string>
#include <string_view>

#include <hawser/fiber/run.h>
#include <hawser/process/popen.h>
#include <hawser/process/pty.h>
#include <hawser/process/run_command.h>

using namespace hawser;

namespace {

// What the screen shows, up to and with the text; to the end without one.
std::string watch(Pty& screen, std::string_view until = {}) {
  std::string shown;
  std::byte chunk[1024];
  while (until.empty() || !shown.ends_with(until)) {
    const std::size_t got = screen.read_some(chunk);
    if (got == 0) break;  // nobody holds the terminal any more
    shown.append(reinterpret_cast<const char*>(chunk), got);
  }
  return shown;
}

}  // namespace

int main() {
  return run([] {
    std::printf("without one: %s", run_command({"tty"}, {.capture = true}).out.str().c_str());

    Pty screen({.rows = 24, .columns = 80});
    Popen shell({"sh"}, {.add_env = {{"PS1", "$ "}, {"ENV", ""}}, .terminal = &screen});
    watch(screen, "$ ");
    for (const char* line : {"tty >/dev/null && echo a terminal\n", "stty size\n"}) {
      screen.write_all(line);
      std::printf("%s\n", watch(screen, "\r\n$ ").c_str());
    }
    screen.set_size({.rows = 50, .columns = 132});
    screen.write_all("stty size\n");
    std::printf("%s\n", watch(screen, "\r\n$ ").c_str());

    screen.write_all("cat\n");
    watch(screen, "cat\r\n");
    screen.write_all("typed twice: by the terminal, then by cat\n");
    std::printf("%s", watch(screen, "by cat\r\ntyped twice: by the terminal, then by cat\r\n").c_str());
    screen.write_all("\x03");  // Ctrl-C, for cat and not for the shell
    std::printf("%s\n", watch(screen, "$ ").c_str());
    screen.end_of_input();  // Ctrl-D
    watch(screen);
    std::printf("the shell returned %d\n", shell.wait());
    return 0;
  });
}
