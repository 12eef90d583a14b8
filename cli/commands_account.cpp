// hawser register, login, logout, whoami, passwd, invite: who may do what, and who is signed in.
#include <memory>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "cli/connect_to_hub.h"
#include "cli/human.h"
#include "cli/prompt.h"
#include "cli/sessions.h"

namespace hawser::cli {
namespace {

struct Arguments {
  std::string user, invite, role = "member";
};

// The positional name, else the target's, else asked for.
std::string user_name(const Arguments& args, const Target& target, Prompt& prompt) {
  if (!args.user.empty()) return args.user;
  if (!target.user.empty()) return target.user;
  std::string name = prompt.asks_person() ? prompt.line("User: ") : "";
  if (name.empty()) throw usage_error("which user? name one, or set HAWSER_USER");
  return name;
}

void warn_when_in_the_clear(const HubClient& hub, Report& report) {
  const Target& target = hub.target();
  if (target.plain && !target.hub.is_loopback())
    report.warn(
        fmt::format("{} is reached without TLS: everybody on the way can read the password", target.hub.text()));
}

std::string roles_text(const Json& answer) {
  std::string text;
  if (const Json* roles = answer.find("roles"); roles != nullptr && roles->is_array())
    for (const Json& role : roles->as_array()) text += (text.empty() ? "" : ", ") + role.as_string();
  return text;
}

// Signs in, keeps the session and tells about it.
void sign_in_and_save(HubClient& hub, Context& context, const std::string& user, const std::string& password) {
  const Json answer = hub.request({{"cmd", "login"}, {"user", user}, {"password", password}});
  const std::string hub_name = hub.target().hub.text();
  const std::string known_as = answer.get_string("user", user);
  Sessions(context.home.state())
      .save({hub_name, known_as, answer["token"].as_string(), answer["expires"].as_int64(), hub.target().plain});
  if (context.report.wants_json()) {
    Json result = {{"user", known_as}, {"hub", hub_name}, {"expires", answer["expires"].as_int64()}};
    result.set("roles", answer["roles"].value());
    context.report.json(result);
  } else {
    context.report.say(fmt::format("Signed in as {} ({}) at {}", known_as, roles_text(answer), hub_name));
  }
}

int do_register(const Arguments& args, Context& context) {
  const Target target = find_target(context.globals, context.home, true);
  Prompt prompt;
  const std::string user = user_name(args, target, prompt);
  HubClient hub(target, context.home, context.report);
  warn_when_in_the_clear(hub, context.report);
  std::string password = target.password;
  if (password.empty()) {
    password = prompt.secret("New password: ");
    if (prompt.asks_person() && prompt.secret("Once more: ") != password)
      throw usage_error("the two passwords differ; nothing was done");
  }
  std::string invite = args.invite.empty() ? environment("HAWSER_INVITE") : args.invite;
  const auto ask_hub = [&] {
    Json request = {{"cmd", "register"}, {"user", user}, {"password", password}};
    if (!invite.empty()) request.set("invite", invite);
    hub.request(std::move(request));
  };
  bool wants_invite = false;
  try {
    ask_hub();
  } catch (const Failure& failure) {
    // Only now is it known that this hub wants one.
    wants_invite = failure.code() == "forbidden" && invite.empty() && prompt.asks_person();
    if (!wants_invite) throw;
  }
  if (wants_invite) {
    invite = prompt.line("Invite: ");
    ask_hub();
  }
  sign_in_and_save(hub, context, user, password);
  return 0;
}

int do_login(const Arguments& args, Context& context) {
  const Target target = find_target(context.globals, context.home, true);
  Prompt prompt;
  const std::string user = user_name(args, target, prompt);
  HubClient hub(target, context.home, context.report);
  warn_when_in_the_clear(hub, context.report);
  const std::string password =
      target.password.empty() ? prompt.secret(fmt::format("Password of {}: ", user)) : target.password;
  sign_in_and_save(hub, context, user, password);
  return 0;
}

int do_logout(Context& context) {
  Target target = find_target(context.globals, context.home);
  // The session is what ends here; a new one made of the password would not be it.
  target.password.clear();
  const std::string hub_name = target.hub.text();
  const Sessions sessions(context.home.state());
  try {
    HubClient hub(target, context.home, context.report);
    hub.sign_in();
    hub.request({{"cmd", "logout"}});
  } catch (const Failure& failure) {
    if (failure.exit() == Exit::not_signed_in && target.token_is_saved) sessions.forget(hub_name, target.user);
    throw;
  }
  if (target.token_is_saved) sessions.forget(hub_name, target.user);
  if (context.report.wants_json())
    context.report.json({{"ok", true}, {"hub", hub_name}});
  else
    context.report.say(fmt::format("Signed out at {}", hub_name));
  return 0;
}

int do_whoami(Context& context) {
  const auto hub = connect_to_hub(context);
  const Json answer = hub->request({{"cmd", "whoami"}});
  const std::string hub_name = hub->target().hub.text();
  const std::string& user = answer["user"].as_string();
  if (context.report.wants_json()) {
    Json result = {{"user", user}};
    result.set("roles", answer["roles"].value());
    result.set("hub", hub_name);
    if (answer["expires"].present()) result.set("expires", answer["expires"].value());
    if (answer["quota"].present()) result.set("quota", answer["quota"].value());
    context.report.json(result);
    return 0;
  }
  context.report.line(fmt::format("{} ({}) at {}", user, roles_text(answer), hub_name));
  if (const auto expires = answer.get_int64("expires", 0); expires != 0)
    context.report.detail(fmt::format("The session ends {} unless it is used", format_time(expires)));
  if (const auto quota = answer.get_uint64("quota", 0); quota != 0)
    context.report.detail(fmt::format("Quota: {}", format_size(quota)));
  return 0;
}

int do_passwd(Context& context) {
  const auto hub = connect_to_hub(context);
  Prompt prompt;
  const std::string old = hub->target().password.empty() ? prompt.secret("Current password: ") : hub->target().password;
  std::string fresh = environment("HAWSER_NEW_PASSWORD");
  if (fresh.empty()) {
    fresh = prompt.secret("New password: ");
    if (prompt.asks_person() && prompt.secret("Once more: ") != fresh)
      throw usage_error("the two passwords differ; nothing was changed");
  }
  hub->request({{"cmd", "passwd"}, {"old", old}, {"new", fresh}});
  if (context.report.wants_json())
    context.report.json({{"ok", true}});
  else
    context.report.say("The password is changed; all other sessions have ended");
  return 0;
}

int do_invite(const Arguments& args, Context& context) {
  const auto hub = connect_to_hub(context);
  const Json answer = hub->request({{"cmd", "invite"}, {"role", args.role}});
  const std::string& invite = answer["invite"].as_string();
  if (context.report.wants_json()) {
    Json result = {{"invite", invite}, {"role", answer.get_string("role", args.role)}};
    if (answer["expires"].present()) result.set("expires", answer["expires"].value());
    context.report.json(result);
    return 0;
  }
  context.report.line(invite);
  context.report.say(fmt::format("Good once, for a new {}. They type: hawser register NAME --hub {} --invite {}",
                                 args.role, hub->target().hub.text(), invite));
  return 0;
}

}  // namespace

Action setup_register(CLI::App& parser) {
  auto args = std::make_shared<Arguments>();
  parser.add_option("name", args->user, "The new user's name")->type_name("NAME");
  parser.add_option("--invite", args->invite, "An invite from an admin (HAWSER_INVITE)")->type_name("CODE");
  parser.footer(
      "The password is asked for, or taken from HAWSER_PASSWORD or standard input.\n\n"
      "Examples:\n"
      "  hawser register ada --hub hub.example.org:7700 --invite 0f3a…\n"
      "  HAWSER_PASSWORD=… hawser register ada");
  return [args](Context& context) { return do_register(*args, context); };
}

Action setup_login(CLI::App& parser) {
  auto args = std::make_shared<Arguments>();
  parser.add_option("name", args->user, "The user's name")->type_name("NAME");
  parser.footer(
      "The password is asked for, or taken from HAWSER_PASSWORD or standard input. The session is kept in a file\n"
      "that only you can read, and is what later commands use.\n\n"
      "Examples:\n"
      "  hawser login ada --hub hub.example.org:7700\n"
      "  hawser login < password.txt");
  return [args](Context& context) { return do_login(*args, context); };
}

Action setup_logout(CLI::App& parser) {
  parser.footer("Example:\n  hawser logout");
  return [](Context& context) { return do_logout(context); };
}

Action setup_whoami(CLI::App& parser) {
  parser.footer("Examples:\n  hawser whoami\n  hawser whoami --json");
  return [](Context& context) { return do_whoami(context); };
}

Action setup_passwd(CLI::App& parser) {
  parser.footer(
      "Asks for the current and the new password, or takes them from HAWSER_PASSWORD and HAWSER_NEW_PASSWORD, or from\n"
      "two lines of standard input.\n\n"
      "Example:\n"
      "  hawser passwd");
  return [](Context& context) { return do_passwd(context); };
}

Action setup_invite(CLI::App& parser) {
  auto args = std::make_shared<Arguments>();
  parser.add_option("--role", args->role, "What the new user will be (member)")->type_name("member|admin");
  parser.footer("Examples:\n  hawser invite\n  hawser invite --role admin");
  return [args](Context& context) { return do_invite(*args, context); };
}

}  // namespace hawser::cli
