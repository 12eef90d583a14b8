// hawser up: starts a hub.
#include <cstddef>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/positive_number.h"
#include "hub/hub.h"
#include "hub/options.h"

namespace hawser::cli {
namespace {

struct Arguments {
  std::string config, listen, root, allow_run, log_level;
  bool plain = false, plain_anywhere = false, open_registration = false;
  std::size_t max_connections = 0;
  long drain_seconds = -1;
};

hub::OptionsPatch typed(const Arguments& args) {
  hub::OptionsPatch patch;
  if (!args.listen.empty()) patch.listen = args.listen;
  if (!args.root.empty()) patch.root = args.root;
  if (args.plain || args.plain_anywhere) patch.plain = true;
  if (args.plain_anywhere) patch.plain_anywhere = true;
  if (args.open_registration) patch.open_registration = true;
  if (!args.allow_run.empty()) patch.allow_run = hub::parse_allow_run(args.allow_run);
  if (!args.log_level.empty()) patch.log_level = hub::parse_log_level(args.log_level);
  if (args.max_connections > 0) patch.max_connections = args.max_connections;
  if (args.drain_seconds >= 0) patch.drain = std::chrono::seconds(args.drain_seconds);
  return patch;
}

}  // namespace

Action setup_up(CLI::App& parser) {
  auto args = std::make_shared<Arguments>();
  parser.add_option("--listen", args->listen, "Where to listen (127.0.0.1:7700); port 0: any free one")
      ->type_name("HOST:PORT");
  parser.add_option("--root", args->root, "Where everything is kept (HAWSER_HOME/hub, or ~/.local/share/hawser/hub)")
      ->type_name("DIR");
  // The same word as the client's option, and the same meaning seen from the other side.
  parser.add_flag("--plain", args->plain, "TCP without TLS; only on loopback addresses");
  parser.add_flag("--plain-anywhere", args->plain_anywhere,
                  "TCP without TLS on any address: everybody on the way can read along");
  parser.add_flag("--open-registration", args->open_registration, "Anybody may register, without an invite");
  parser.add_option("--allow-run", args->allow_run, "Who may run commands (admins)")->type_name("admins|members|none");
  parser.add_option("--config", args->config, "A TOML file with the same settings; what is typed wins")
      ->type_name("FILE");
  parser.add_option("--max-connections", args->max_connections, "More have to wait (10000)")
      ->check(why_not_positive)
      ->type_name("N");
  parser.add_option("--drain-seconds", args->drain_seconds, "How long a stopping hub lets requests finish (30)")
      ->check(CLI::Range(0, 86400))
      ->type_name("S");
  parser.add_option("--log-level", args->log_level, "What is logged (info)")->type_name("debug|info|warning|error");
  parser.footer(
      "The first start makes the certificate, the database and an admin's one-time invite, and prints what to type "
      "next.\nSIGTERM or Ctrl-C lets requests finish, a second one stops at once. SIGUSR2 prints what every fiber "
      "does.\n\n"
      "Examples:\n"
      "  hawser up\n"
      "  hawser up --listen 0.0.0.0:7700 --root /srv/hawser\n"
      "  hawser up --listen 127.0.0.1:0 --root \"$(mktemp -d)\" --plain --open-registration");
  return [args](Context& context) {
    hub::Options options;
    if (!args->config.empty()) hub::apply(hub::read_options_file(args->config), options);
    hub::apply(typed(*args), options);
    if (context.globals.plain) options.plain = true;
    if (options.root.empty()) options.root = context.home.hub();
    hub::check(options);
    return hub::run_hub(options);
  };
}

}  // namespace hawser::cli
