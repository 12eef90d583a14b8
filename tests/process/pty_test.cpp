#include <hawser/process/pty.h>

#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <stdexcept>
#include <string>
#include <thread>

#include <hawser/base/errors.h>
#include <hawser/fiber/deadline.h>
#include <hawser/fiber/task.h>
#include <hawser/process/popen.h>
#include <hawser/process/run_command.h>

#include "process/contexts.h"

using namespace hawser;
using namespace hawser::testing;
using namespace std::chrono_literals;

class PtyInBoth : public InBoth {};
HAWSER_IN_BOTH(PtyInBoth);

namespace {

std::string read_to_the_end(Pty& screen) {
  std::string text;
  std::byte chunk[4096];
  while (const auto got = screen.read_some(chunk))
    text += BytesView(std::span<const std::byte>(chunk)).first(got).text();
  return text;
}

// Reads until what has been shown ends with, or holds, the text; gives all that was read.
std::string read_until(Pty& screen, std::string_view text) {
  std::string shown;
  std::byte chunk[256];
  while (shown.find(text) == std::string::npos) {
    const auto got = screen.read_some(chunk);
    if (got == 0) throw std::runtime_error("the end came after: " + shown);
    shown += BytesView(std::span<const std::byte>(chunk)).first(got).text();
  }
  return shown;
}

}  // namespace

TEST_P(PtyInBoth, a_command_has_it_for_its_streams_and_its_controlling_terminal) {
  run_in(GetParam(), [] {
    Pty screen;
    // Of the last line: session and foreground group, see proc_pid_stat(5).
    Popen child(Command::shell("tty; tty <&1; tty <&2; tty </dev/tty; cut -d ' ' -f 6,8 /proc/$$/stat"),
                {.terminal = &screen});
    const std::string shown = read_to_the_end(screen);
    EXPECT_EQ(child.wait(), 0);
    const std::string line = screen.path() + "\r\n";
    const std::string pid = std::to_string(child.pid());
    EXPECT_EQ(shown, line + line + line + "/dev/tty\r\n" + pid + " " + pid + "\r\n");
  });
}

TEST_P(PtyInBoth, python_takes_it_for_a_terminal) {
  run_in(GetParam(), [] {
    Pty screen({.rows = 30, .columns = 100});
    Popen child({"python3", "-c",
                 "import os, sys\n"
                 "print(all(os.isatty(fd) for fd in (0, 1, 2)), tuple(os.get_terminal_size()))\n"
                 "print(os.getsid(0) == os.getpid() == os.tcgetpgrp(0), os.ttyname(0))\n"
                 "print('name: ' + input('who? '))\n"},
                {.terminal = &screen});
    EXPECT_EQ(read_until(screen, "who? "), "True (100, 30)\r\nTrue " + screen.path() + "\r\nwho? ");
    screen.write_all("馬\n");
    EXPECT_EQ(read_to_the_end(screen), "馬\r\nname: 馬\r\n");
    EXPECT_EQ(child.wait(), 0);
  });
}

TEST_P(PtyInBoth, all_that_was_written_comes_before_the_end) {
  run_in(GetParam(), [] {
    for (int round = 0; round < 30; ++round) {
      Pty screen;
      Popen child(Command::shell("head -c 100000 /dev/zero | tr '\\0' x; printf end"), {.terminal = &screen});
      const std::string shown = read_to_the_end(screen);
      EXPECT_EQ(shown.size(), 100'003U);
      EXPECT_EQ(shown.substr(100'000), "end");
      EXPECT_EQ(child.wait(), 0);
    }
  });
}

TEST_P(PtyInBoth, the_end_comes_again_and_again_until_another_program_is_started) {
  run_in(GetParam(), [] {
    Pty screen;
    std::byte c;
    for (const char* word : {"one", "two"}) {
      Popen child({"echo", word}, {.terminal = &screen});
      EXPECT_EQ(read_to_the_end(screen), std::string(word) + "\r\n");
      EXPECT_EQ(child.wait(), 0);
      EXPECT_EQ(screen.read_some({&c, 1}), 0U);
    }
    screen.write_all("for the next one\n");
    Popen next({"head", "-n", "1"}, {.terminal = &screen});
    EXPECT_EQ(read_to_the_end(screen), "for the next one\r\nfor the next one\r\n");
  });
}

TEST_P(PtyInBoth, the_child_knows_the_size_and_is_told_when_it_changes) {
  run_in(GetParam(), [] {
    Pty screen({.rows = 40, .columns = 132});
    EXPECT_EQ(screen.size(), (WindowSize{.rows = 40, .columns = 132}));
    Popen child(Command::shell("trap 'stty size; exit 7' WINCH; stty size; while :; do sleep 0.01; done"),
                {.terminal = &screen});
    EXPECT_EQ(read_until(screen, "\n"), "40 132\r\n");
    screen.set_size({.rows = 10, .columns = 20});
    EXPECT_EQ(read_to_the_end(screen), "10 20\r\n");
    EXPECT_EQ(child.wait(), 7);
  });
}

// A shell that is told of a signal between two of its commands may forget it, so what is interrupted here is Python.
TEST_P(PtyInBoth, ctrl_c_reaches_the_foreground_and_not_the_background) {
  run_in(GetParam(), [] {
    Pty screen;
    screen.set_echo(false);
    Popen shell({"sh", "-i"}, {.add_env = {{"PS1", "> "}, {"TERM", "dumb"}}, .terminal = &screen});
    read_until(screen, "> ");
    screen.write_all("sleep 100 &\n");
    read_until(screen, "> ");
    screen.write_all("python3 -c 'import signal; print(\"here\", flush=True); signal.pause()'\n");
    read_until(screen, "here");
    screen.write_all("\x03");
    EXPECT_NE(read_until(screen, "> ").find("KeyboardInterrupt"), std::string::npos);
    screen.write_all("echo gone $?; kill -0 $! && echo still there; kill -9 $!; exit 5\n");
    EXPECT_NE(read_to_the_end(screen).find("gone 130\r\nstill there"), std::string::npos);
    EXPECT_EQ(shell.wait(), 5);
  });
}

TEST_P(PtyInBoth, interrupt_reaches_a_program_that_made_it_raw_and_does_not_read) {
  run_in(GetParam(), [] {
    Pty screen;
    Popen child({"python3", "-c",
                 "import signal, tty\n"
                 "signal.signal(signal.SIGINT, signal.SIG_DFL)\n"
                 "tty.setraw(0)\n"
                 "print('ready', flush=True)\n"
                 "signal.pause()\n"},
                {.terminal = &screen});
    read_until(screen, "ready");
    screen.write_all("\x03");  // only a byte, there
    EXPECT_THROW(screen.signal_foreground(SIGTERM), SystemError);
    EXPECT_EQ(child.poll(), std::nullopt);
    screen.interrupt();
    EXPECT_EQ(child.wait(), -SIGINT);
  });
}

TEST_P(PtyInBoth, ctrl_d_ends_the_input) {
  run_in(GetParam(), [] {
    Pty screen;
    screen.set_echo(false);
    {
      Popen child({"cat"}, {.terminal = &screen});
      screen.write_all("whole line\n");
      screen.end_of_input();
      EXPECT_EQ(read_to_the_end(screen), "whole line\r\n");
      EXPECT_EQ(child.wait(), 0);
    }
    Popen child({"cat"}, {.terminal = &screen});
    screen.write_all("half");
    screen.shutdown_write();
    EXPECT_EQ(read_to_the_end(screen), "half");
    EXPECT_EQ(child.wait(), 0);
  });
}

TEST_P(PtyInBoth, what_is_typed_is_echoed_unless_that_is_off) {
  run_in(GetParam(), [] {
    Pty screen;
    Popen child(Command::shell("read line; echo got $line; stty -echo; echo off; read line; echo got $line"),
                {.terminal = &screen});
    screen.write_all("one\n");
    EXPECT_EQ(read_until(screen, "off\r\n"), "one\r\ngot one\r\noff\r\n");
    screen.write_all("two\n");
    EXPECT_EQ(read_to_the_end(screen), "got two\r\n");
    EXPECT_EQ(child.wait(), 0);
  });
}

TEST_P(PtyInBoth, streams_that_are_named_are_not_the_terminal) {
  run_in(GetParam(), [] {
    Pty screen;
    Popen child(Command::shell("cat; echo shown >&2; tty </dev/tty"),
                {.stdin_ = Pipe::null, .stdout_ = Pipe::open, .terminal = &screen});
    EXPECT_EQ(read_to_the_end(screen), "shown\r\n");
    EXPECT_EQ(child.communicate().out, "/dev/tty\n");
  });
}

TEST_P(PtyInBoth, closing_it_hangs_up) {
  run_in(GetParam(), [] {
    Pty screen;
    Popen child({"cat"}, {.terminal = &screen});
    screen.close();
    screen.close();
    EXPECT_EQ(child.wait(), -SIGHUP);
    std::byte c;
    EXPECT_THROW(static_cast<void>(screen.read_some({&c, 1})), SocketClosed);
    EXPECT_THROW(screen.write_all("x"), SocketClosed);
    EXPECT_THROW(static_cast<void>(screen.size()), SocketClosed);
  });
}

TEST_P(PtyInBoth, a_deadline_ends_a_read_and_a_write) {
  run_in(GetParam(), [] {
    Pty screen;
    const UniqueFd other_side = screen.open_terminal();
    std::byte c;
    EXPECT_THROW(
        {
          Deadline budget(5ms);
          static_cast<void>(screen.read_some({&c, 1}));
        },
        DeadlineExceeded);
    EXPECT_THROW(
        {
          Deadline budget(20ms);
          const RawTerminal raw(other_side.get());
          for (;;) screen.write_all(std::string(1000, 'x'));
        },
        DeadlineExceeded);
  });
}

TEST_P(PtyInBoth, close_from_elsewhere_wakes_a_reader) {
  run_in(GetParam(), [] {
    Pty screen;
    std::thread closer([&] { screen.close(); });
    std::byte c;
    EXPECT_THROW(static_cast<void>(screen.read_some({&c, 1})), SocketClosed);
    closer.join();
  });
}

TEST(pty, one_fiber_reads_while_another_types_and_a_third_kills) {
  run([] {
    Pty screen;
    screen.set_echo(false);
    Popen child({"cat"}, {.terminal = &screen});
    std::size_t lines = 0;
    auto reader = spawn([&] {
      const std::string shown = read_to_the_end(screen);
      lines = static_cast<std::size_t>(std::count(shown.begin(), shown.end(), '\n'));
    });
    auto writer = spawn([&] {
      for (int i = 0; i < 1000; ++i) screen.write_all("a line of text\n");
      screen.end_of_input();
    });
    writer.get();
    reader.get();
    EXPECT_EQ(lines, 1000U);
    EXPECT_EQ(child.wait(), 0);

    Popen deaf({"sleep", "100"}, {.terminal = &screen});
    auto waiting = spawn([&] { return read_to_the_end(screen); });
    yield();
    deaf.kill();
    EXPECT_EQ(waiting.get(), "");
  });
}

TEST(pty, a_program_can_not_take_a_terminal_that_is_taken) {
  Pty screen;
  Popen owner({"cat"}, {.terminal = &screen});
  try {
    Popen child({"true"}, {.terminal = &screen});
    EXPECT_EQ(::geteuid(), 0U);  // root's programs may steal it, but do not: nobody asks them to
    FAIL() << "started";
  } catch (const SystemError& error) {
    EXPECT_EQ(error.error_number(), EPERM);
    EXPECT_EQ(error.object(), "true");
  }
}

TEST(pty, leaving_scope_ends_all_in_the_session) {
  { Pty warm_up; }
  const int before = open_descriptors();
  int grandchild = 0;
  {
    Pty screen;
    Popen child(Command::shell("sleep 100 & echo $!; wait"), {.terminal = &screen});
    grandchild = std::stoi(read_until(screen, "\n"));
  }
  while (is_running(grandchild)) std::this_thread::yield();
  EXPECT_TRUE(no_children());
  EXPECT_EQ(open_descriptors(), before);
}

TEST(pty, many_come_and_go_and_nothing_is_left) {
  run([] {
    { Popen warm_up({"true"}); }
    const int before = open_descriptors();
    for (int round = 0; round < 10; ++round) {
      std::vector<Task<void>> tasks;
      for (int i = 0; i < 10; ++i) {
        tasks.push_back(spawn([] {
          Pty screen;
          Popen child({"echo", "hello"}, {.terminal = &screen});
          EXPECT_EQ(read_to_the_end(screen), "hello\r\n");
        }));
      }
      for (auto& task : tasks) task.get();
    }
    EXPECT_TRUE(no_children());
    yield();
    EXPECT_EQ(open_descriptors(), before);
  });
}

TEST(terminal, raw_mode_lasts_as_long_as_its_scope) {
  Pty screen;
  const UniqueFd side = screen.open_terminal();
  termios before{};
  termios now{};
  ::tcgetattr(side.get(), &before);
  {
    const RawTerminal raw(side.get());
    ::tcgetattr(side.get(), &now);
    EXPECT_EQ(now.c_lflag & static_cast<tcflag_t>(ICANON | ECHO | ISIG), 0U);
    EXPECT_EQ(now.c_oflag & static_cast<tcflag_t>(OPOST), 0U);
    EXPECT_EQ(raw.before().c_lflag, before.c_lflag);
    screen.write_all("k");
    char key = 0;
    EXPECT_EQ(::read(side.get(), &key, 1), 1);
    EXPECT_EQ(key, 'k');
  }
  ::tcgetattr(side.get(), &now);
  EXPECT_EQ(now.c_lflag, before.c_lflag);
  EXPECT_EQ(now.c_oflag, before.c_oflag);
  EXPECT_EQ(now.c_iflag, before.c_iflag);
}

TEST(terminal, what_is_no_terminal_is_said_to_be_none) {
  auto [from, to] = make_pipe();
  EXPECT_EQ(window_size(from.get()), std::nullopt);
  try {
    const RawTerminal raw(from.get());
    FAIL();
  } catch (const SystemError& error) {
    EXPECT_EQ(error.error_number(), ENOTTY);
  }
}
