// Command: one thing that people can ask for: its name, its options, and what it does.
//
// A command's setup() declares its options on the parser and returns the action to run once they are parsed. Actions
// run on the first fiber of run() and return the exit code; what they throw becomes one (failure.h). SIGINT, SIGTERM
// and SIGHUP cancel the action, unless the command takes signals itself.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/globals.h"
#include "cli/home.h"
#include "cli/interrupt.h"
#include "cli/report.h"

namespace CLI {
class App;
}

namespace hawser::cli {

struct Context {
  const Globals& globals;
  Report& report;
  Home home;
  Interrupt* interrupt;                   // null for a command that is not on fibers
  std::vector<std::string> after_dashes;  // what stood behind "--", for commands that take it as it is
  bool had_dashes = false;
};

using Action = std::function<int(Context&)>;

struct Command {
  enum class Runs : std::uint8_t {
    on_a_fiber,
    on_a_fiber_with_signals,  // and takes the signals itself
    outside,                  // on the main thread, with no run() and no signal handlers around it
  };

  std::string_view name;
  std::string_view group;  // the heading under which --help lists it; empty: not listed
  std::string_view summary;
  Action (*setup)(CLI::App& parser);
  Runs runs = Runs::on_a_fiber;
  bool dashes_end_options = false;  // what stands behind "--" goes to Context::after_dashes untouched
};

// All of them, in the order of --help.
[[nodiscard]] std::span<const Command> commands();

// Each in the file of its name: command_up.cpp ...
Action setup_up(CLI::App& parser);
Action setup_invite(CLI::App& parser);
Action setup_register(CLI::App& parser);
Action setup_login(CLI::App& parser);
Action setup_logout(CLI::App& parser);
Action setup_whoami(CLI::App& parser);
Action setup_passwd(CLI::App& parser);
Action setup_ls(CLI::App& parser);
Action setup_stat(CLI::App& parser);
Action setup_mkdir(CLI::App& parser);
Action setup_rm(CLI::App& parser);
Action setup_mv(CLI::App& parser);
Action setup_sum(CLI::App& parser);
Action setup_du(CLI::App& parser);
Action setup_put(CLI::App& parser);
Action setup_get(CLI::App& parser);
Action setup_run(CLI::App& parser);
Action setup_completion(CLI::App& parser);
Action setup_complete(CLI::App& parser);

}  // namespace hawser::cli
