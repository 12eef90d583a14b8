#include "hub/options.h"

#include <fmt/format.h>

#include <hawser/net/address.h>

namespace hawser::hub {

namespace {

// What can be seen without asking a resolver; `localhost` is loopback by RFC 6761.
bool is_loopback(const Endpoint& endpoint) {
  if (!endpoint.numeric()) return endpoint.host() == "localhost";
  return endpoint.is_unix() || endpoint.numeric()->is_loopback();
}

}  // namespace

AllowRun parse_allow_run(std::string_view word) {
  if (word == "admins") return AllowRun::admins;
  if (word == "members") return AllowRun::members;
  if (word == "none") return AllowRun::none;
  throw OptionsError(fmt::format("allow-run must be admins, members or none, not \"{}\"", word));
}

std::string_view to_string(AllowRun allow) noexcept {
  switch (allow) {
    case AllowRun::admins:
      return "admins";
    case AllowRun::members:
      return "members";
    case AllowRun::none:
      break;
  }
  return "none";
}

LogLevel parse_log_level(std::string_view word) {
  if (word == "debug") return LogLevel::debug;
  if (word == "info") return LogLevel::info;
  if (word == "warning") return LogLevel::warning;
  if (word == "error") return LogLevel::error;
  throw OptionsError(fmt::format("log-level must be debug, info, warning or error, not \"{}\"", word));
}

void apply(const OptionsPatch& patch, Options& options) {
  const auto set = [](auto& option, const auto& given) {
    if (given) option = *given;
  };
  set(options.listen, patch.listen);
  set(options.root, patch.root);
  set(options.plain, patch.plain);
  set(options.plain_anywhere, patch.plain_anywhere);
  set(options.open_registration, patch.open_registration);
  set(options.allow_run, patch.allow_run);
  set(options.max_connections, patch.max_connections);
  set(options.log_level, patch.log_level);
  set(options.drain, patch.drain);
}

void check(const Options& options) {
  if (options.root.empty()) throw OptionsError("no root: where shall the hub keep its files?");
  if (options.max_connections == 0) throw OptionsError("max-connections must be at least 1");
  if (options.drain < std::chrono::seconds(0)) throw OptionsError("drain-seconds must not be negative");
  try {
    const Endpoint endpoint = Endpoint::parse(options.listen);
    if (options.plain && !options.plain_anywhere && !is_loopback(endpoint)) {
      throw OptionsError(fmt::format(
          "plain TCP on {}: everybody on the way could read passwords and files. Leave --plain out, listen on "
          "127.0.0.1, or add --plain-anywhere if that is really meant",
          options.listen));
    }
  } catch (const AddressError& error) {
    throw OptionsError(fmt::format("listen: {}", error.what()));
  }
}

}  // namespace hawser::hub
