// hawser run: a command on the hub.
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/connect_to_hub.h"
#include "cli/operands.h"
#include "cli/positive_number.h"
#include "cli/remote_command.h"
#include "cli/remote_files.h"

namespace hawser::cli {
namespace {

struct Arguments {
  std::vector<std::string> words, env;
  std::string shell, cwd;
  double timeout = 0;
  bool no_input = false;
};

Json environment_of(const std::vector<std::string>& settings) {
  Json env = Json::object();
  for (const std::string& setting : settings) {
    const auto equals = setting.find('=');
    if (equals == 0 || equals == std::string::npos)
      throw usage_error(fmt::format("--env takes NAME=VALUE, not '{}'", setting));
    env.set(setting.substr(0, equals), setting.substr(equals + 1));
  }
  return env;
}

Json request_of(const Arguments& args, const Context& context, bool has_shell) {
  std::vector<std::string> argv = args.words;
  argv.insert(argv.end(), context.after_dashes.begin(), context.after_dashes.end());
  Json request = {{"cmd", "run"}};
  if (has_shell) {
    if (!argv.empty()) throw usage_error("either --shell TEXT or a command, not both");
    request.set("shell", args.shell);
  } else {
    if (argv.empty()) throw usage_error("which command? hawser run -- CMD ARG… (more: hawser run --help)");
    request.set("argv", Json::array_of(argv));
  }
  if (!args.cwd.empty()) request.set("cwd", normal_path(args.cwd));
  if (!args.env.empty()) request.set("env", environment_of(args.env));
  if (args.timeout > 0) request.set("timeout", args.timeout);
  return request;
}

int do_run(const Arguments& args, Context& context, bool has_shell) {
  Json request = request_of(args, context, has_shell);
  std::unique_ptr<HubClient> hub;
  unless_interrupted(*context.interrupt, [&] { hub = connect_to_hub(context); });
  try {
    return RemoteCommand(*hub, context.report, *context.interrupt).run(std::move(request), !args.no_input);
  } catch (const Failure& failure) {
    // The connection was closed for a signal of ours, whatever the error is called.
    if (failure.exit() == Exit::unreachable && Interrupt::received() != 0) return 128 + Interrupt::received();
    throw;
  }
}

}  // namespace

Action setup_run(CLI::App& parser) {
  auto args = std::make_shared<Arguments>();
  add_words(parser, "command", args->words, "The command and its arguments; behind '--' anything is taken as it is")
      ->type_name("CMD ARG…");
  const CLI::Option* shell =
      parser.add_option("--shell", args->shell, "A text for the hub's /bin/sh instead")->type_name("TEXT");
  parser.add_option("--timeout", args->timeout, "End it after so many seconds (exit code 124)")
      ->check(why_not_positive)
      ->type_name("S");
  parser.add_option("--cwd", args->cwd, "Where to run it, below your home")->type_name("DIR");
  add_words(parser, "--env", args->env, "A variable for it; may be given again")->type_name("NAME=VALUE");
  parser.add_flag("-n,--no-input", args->no_input, "Give it no input: leave ours alone");
  parser.footer(
      "Output, errors and input go through as they are. Ends as the command did: its exit code, 128 + N for signal N,\n"
      "124 for a timeout. Ctrl-C goes to the command; a second Ctrl-C ends both.\n\n"
      "Examples:\n"
      "  hawser run -- uname -a\n"
      "  hawser run --shell 'sort | uniq -c' < words.txt\n"
      "  hawser run --timeout 60 --cwd project -- make test");
  return [args, shell](Context& context) { return do_run(*args, context, shell->count() > 0); };
}

}  // namespace hawser::cli
