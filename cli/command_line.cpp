#include "cli/command_line.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <memory>

#include <unistd.h>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <hawser/fiber/run.h>

#include "cli/command.h"
#include "cli/operands.h"
#include "cli/suggestion.h"
#include "cli/terminal.h"
#include "cli/version.h"

namespace hawser::cli {
namespace {

constexpr std::array kGlobalsWithValue{"--hub", "--user", "--token", "--ca", "--pin"};

void add_globals(CLI::App& parser, Globals& globals) {
  parser.add_option("--hub", globals.hub, "Which hub (HAWSER_HUB; else the one used last)")->type_name("HOST:PORT");
  parser.add_option("--user", globals.user, "Who (HAWSER_USER; else who signed in last)")->type_name("NAME");
  parser.add_option("--token", globals.token, "A session's token (better: HAWSER_TOKEN)")->type_name("TOKEN");
  parser.add_option("--ca", globals.ca, "Trust hubs that this authority vouches for")->type_name("FILE");
  parser.add_option("--pin", globals.pin, "Trust the hub with this fingerprint")->type_name("sha256:…");
  parser.add_flag("--plain", globals.plain, "Talk to a hub that was started with --plain: no TLS");
  parser.add_flag("--json", globals.json, "Results as JSON, one object a line");
  parser.add_flag("-q,--quiet", globals.quiet, "No progress and no remarks");
  parser.add_flag("-v,--verbose", globals.verbose, "More remarks");
}

std::vector<std::string> long_options(const CLI::App& parser) {
  std::vector<std::string> names;
  for (const CLI::App* app = &parser; app != nullptr; app = app->get_parent())
    for (const CLI::Option* option : app->get_options())
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

Failure unknown_command(const std::string& word) {
  std::vector<std::string> names;
  for (const Command& command : commands())
    if (!command.group.empty()) names.emplace_back(command.name);
  const std::string nearest = nearest_word(word, names);
  return usage_error(nearest.empty()
                         ? fmt::format("no such command: {} (all of them: hawser --help)", printable(word))
                         : fmt::format("no such command: {}; did you mean '{}'?", printable(word), nearest));
}

Failure wrong_usage(std::string_view message, std::string_view command) {
  return usage_error(fmt::format("{} (more: hawser {}{}--help)", message, command, command.empty() ? "" : " "));
}

Failure not_understood(const std::string& word, std::string_view command) {
  return wrong_usage(fmt::format("not understood: {}", printable(word)), command);
}

// CLI11's words with ours around them: which option was meant, and where to look.
Failure wrong_usage(const CLI::ParseError& error, const CLI::App& parser, std::string_view command) {
  std::string message = error.what();
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
    // Commands hand what they do not know to the parser above them.
    const CLI::App* top = &parser;
    while (top->get_parent() != nullptr) top = top->get_parent();
    const auto extra = top->remaining(true);
    if (!extra.empty()) {
      const std::string& word = extra.front();
      message = fmt::format("not understood: {}", printable(word));
      const std::string nearest = nearest_word(word.substr(0, word.find('=')), long_options(parser));
      if (!nearest.empty()) message += fmt::format("; did you mean {}?", nearest);
      if (command == "run") message += " (options of the command to run go behind '--')";
    }
  }
  return wrong_usage(message, command);
}

int exit_code(const Failure& failure) {
  if (failure.exit() == Exit::interrupted)
    if (const int signal = Interrupt::received(); signal != 0) return 128 + signal;
  return static_cast<int>(failure.exit());
}

int run_on_fibers(const Action& action, Context& context, bool own_signals) {
  Interrupt interrupt;
  context.interrupt = &interrupt;
  return run([&] {
    if (own_signals) return action(context);
    int code = 0;
    unless_interrupted(interrupt, [&] { code = action(context); });
    return code;
  });
}

int carry_out(const Command& command, const Action& action, Context& context) {
  Report& report = context.report;
  int code = 0;
  try {
    code = command.runs == Command::Runs::outside
               ? action(context)
               : run_on_fibers(action, context, command.runs == Command::Runs::on_a_fiber_with_signals);
    report.flush();
  } catch (const std::exception&) {
    const Failure failure = to_failure(std::current_exception());
    report.fail("", failure);
    code = exit_code(failure);
    if (report.wants_json()) {
      try {
        report.json(error_json(failure));
        report.flush();
      } catch (const std::exception&) {
        // Nobody reads it.
      }
    }
  }
  return code;
}

void print(const std::string& text) { static_cast<void>(std::fputs(text.c_str(), stdout)); }

}  // namespace

std::size_t find_command_word(const std::vector<std::string>& args) {
  for (std::size_t i = 0; i < args.size(); ++i) {
    const std::string& word = args[i];
    if (std::ranges::find(kGlobalsWithValue, word) != kGlobalsWithValue.end()) {
      ++i;
    } else if (!word.starts_with('-') || word == "-" || word == "--") {
      return i;
    }
  }
  return args.size();
}

int run_command_line(const std::vector<std::string>& given) {
  Globals globals;
  std::vector<std::string> args = given;
  globals.json = std::ranges::find(args, "--json") != args.end();
  std::size_t place = find_command_word(args);
  // `hawser help put` is `hawser put --help`.
  if (place < args.size() && args[place] == "help") {
    args.erase(args.begin() + static_cast<std::ptrdiff_t>(place));
    args.emplace_back("--help");
    place = find_command_word(args);
  }
  const std::string word = place < args.size() ? args[place] : "";
  const auto known = std::ranges::find(commands(), word, &Command::name);
  const Command* command = known == commands().end() ? nullptr : &*known;
  Report report(globals, command != nullptr ? word : "");

  const auto fail = [&](const Failure& failure) {
    report.fail("", failure);
    if (globals.json) print(error_json(failure).dump() + "\n");
    return static_cast<int>(failure.exit());
  };
  if (command == nullptr && !word.empty()) return fail(unknown_command(word));

  CLI::App app("hawser: files, commands and more on a hub, and the hub itself.", "hawser");
  app.set_help_flag("-h,--help", "Show this");
  app.set_version_flag("--version", fmt::format("hawser {}", kVersion), "Show the version");
  app.footer("Help with a command, with examples: hawser COMMAND --help");
  app.require_subcommand(0, 1);
  add_globals(app, globals);
  globals.json = false;

  Action action;
  CLI::App* chosen = nullptr;
  for (const Command& each : commands()) {
    // Only the one that was asked for needs its options; the list needs them all by name.
    if (command != nullptr ? &each != command : each.group.empty()) continue;
    CLI::App* sub = app.add_subcommand(std::string(each.name), std::string(each.summary));
    sub->set_help_flag("-h,--help", "Show this");
    sub->group(std::string(each.group));
    sub->fallthrough();
    if (command == nullptr) continue;
    chosen = sub;
    action = each.setup(*sub);
    const std::string examples = sub->get_footer();
    sub->footer(examples + (examples.empty() ? "" : "\n\n") + "Options of every command: hawser --help");
  }

  Operands operands;
  std::vector<std::string> surplus;
  if (command != nullptr) {
    operands = take_operands(args, place, *chosen, command->dashes_end_options);
    surplus = give_operands(*chosen, operands.words);
  }
  try {
    std::vector<std::string> reversed(args.rbegin(), args.rend());
    app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    print((chosen != nullptr ? chosen : &app)->help());
    return 0;
  } catch (const CLI::CallForAllHelp&) {
    print(app.help());
    return 0;
  } catch (const CLI::CallForVersion& version) {
    print(std::string(version.what()) + "\n");
    return 0;
  } catch (const CLI::ParseError& error) {
    globals.json = std::ranges::find(args, "--json") != args.end();
    return fail(wrong_usage(error, chosen != nullptr ? *chosen : app, word));
  }
  if (!surplus.empty()) return fail(not_understood(surplus.front(), word));
  if (command == nullptr) {
    static_cast<void>(std::fputs(app.help().c_str(), stderr));
    return static_cast<int>(Exit::usage);
  }
  try {
    Context context{globals, report, Home::find(), nullptr, std::move(operands.after_dashes), operands.had_dashes};
    return carry_out(*command, action, context);
  } catch (const std::exception&) {
    return fail(to_failure(std::current_exception()));
  }
}

}  // namespace hawser::cli
