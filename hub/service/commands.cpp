#include "hub/service/commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <utility>

#include "hub/service/error.h"

namespace hawser::hub {
namespace {

constexpr std::size_t kMostVariables = 256;

void check_policy(const Session& session, RunPolicy policy) {
  if (policy == RunPolicy::members || (policy == RunPolicy::admins && session.role == Role::admin)) return;
  throw ServiceError(ErrorCode::forbidden, policy == RunPolicy::admins ? "only admins may run commands here"
                                                                       : "nobody may run commands here");
}

void check_text(std::string_view text, std::string_view what) {
  if (text.find('\0') != std::string_view::npos) {
    throw ServiceError(ErrorCode::bad_request, fmt::format("{} has a NUL byte", what));
  }
}

[[noreturn]] void throw_too_large(std::string_view what, std::size_t limit, std::string_view unit) {
  throw ServiceError(ErrorCode::too_large, fmt::format("{} above the limit of {} {}", what, limit, unit));
}

Command to_command(const CommandRequest& request, const CommandOptions& options) {
  if (request.argv.empty() == !request.shell.has_value()) {
    throw ServiceError(ErrorCode::bad_request, "give either argv or shell");
  }
  if (request.shell) {
    check_text(*request.shell, "the command");
    if (request.shell->size() > options.max_bytes) throw_too_large("the command", options.max_bytes, "bytes");
    return Command::shell(*request.shell);
  }
  if (request.argv.front().empty()) throw ServiceError(ErrorCode::bad_request, "the name of the program is empty");
  if (request.argv.size() > options.max_arguments) throw_too_large("arguments", options.max_arguments, "in number");
  std::size_t bytes = 0;
  for (const std::string& argument : request.argv) {
    check_text(argument, "an argument");
    bytes += argument.size() + 1;
  }
  if (bytes > options.max_bytes) throw_too_large("the arguments", options.max_bytes, "bytes");
  return Command(request.argv);
}

bool is_variable_name(std::string_view name) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto fits = [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); };
  return !name.empty() && is_letter(name.front()) && std::ranges::all_of(name, fits);
}

Environment to_environment(const CommandRequest& request, const CommandOptions& options, const Session& session,
                           const std::string& home) {
  Environment env{{"HOME", home}, {"LOGNAME", session.user}, {"USER", session.user}, {"SHELL", "/bin/sh"}};
  env["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  env["LANG"] = "C.UTF-8";
  for (const char* name : {"PATH", "LANG", "TZ"}) {
    if (const char* value = std::getenv(name)) env[name] = value;
  }
  if (request.env.size() > kMostVariables) throw_too_large("environment variables", kMostVariables, "in number");
  std::size_t bytes = 0;
  for (const auto& [name, value] : request.env) {
    if (!is_variable_name(name)) {
      throw ServiceError(ErrorCode::bad_request, "a variable's name has letters, digits and '_' only");
    }
    check_text(value, "an environment variable");
    bytes += name.size() + value.size() + 2;
    if (bytes > options.max_bytes) throw_too_large("the environment", options.max_bytes, "bytes");
    env[name] = value;
  }
  return env;
}

std::chrono::milliseconds to_timeout(const CommandRequest& request, const CommandOptions& options) {
  if (!request.timeout) return options.longest;
  if (request.timeout->count() <= 0) throw ServiceError(ErrorCode::bad_request, "the timeout must be above zero");
  return std::min(*request.timeout, options.longest);
}

}  // namespace

struct Commands::Parts {
  Files& files;
  Audit& audit;
  CommandOptions options;
  std::mutex mutex = {};
  std::size_t running = 0;
  std::map<std::int64_t, std::size_t> running_of = {};  // by user

  void enter(std::int64_t user) {
    const std::lock_guard hold(mutex);
    std::size_t& of_user = running_of[user];
    if (running < options.at_once && of_user < options.at_once_per_user) {
      ++running;
      ++of_user;
      return;
    }
    if (of_user == 0) running_of.erase(user);
    throw ServiceError(ErrorCode::busy, "too many commands are running, try again");
  }

  void leave(std::int64_t user) noexcept {
    const std::lock_guard hold(mutex);
    --running;
    const auto of_user = running_of.find(user);
    if (--of_user->second == 0) running_of.erase(of_user);
  }
};

struct RunningCommand::Parts {
  Parts(std::shared_ptr<Commands::Parts> a_house, const Session& a_session, Command a_command)
      : house(std::move(a_house)), session(a_session), command(std::move(a_command)), shown(command.text()) {
    house->enter(session.user_id);
  }
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;
  ~Parts() {
    house->leave(session.user_id);
    if (!ended) record_end("abandoned");
  }

  void record_end(std::string_view result) const noexcept {
    house->audit.record_change(session.user, session.source, "ran", shown, result);
  }

  std::shared_ptr<Commands::Parts> house;
  Session session;
  Command command;
  std::string shown;
  UniqueFd cwd;
  PopenOptions options;
  std::chrono::milliseconds timeout{};
  bool ended = true;  // until begin() has let it through
};

RunningCommand::RunningCommand(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
RunningCommand::RunningCommand(RunningCommand&&) noexcept = default;
RunningCommand& RunningCommand::operator=(RunningCommand&&) noexcept = default;
RunningCommand::~RunningCommand() = default;

const Command& RunningCommand::command() const noexcept { return parts_->command; }
const PopenOptions& RunningCommand::options() const noexcept { return parts_->options; }
std::chrono::milliseconds RunningCommand::timeout() const noexcept { return parts_->timeout; }

void RunningCommand::started(std::int64_t pid) noexcept {
  const Parts& p = *parts_;
  p.house->audit.record(p.session.user, p.session.source, "run", p.shown, std::to_string(pid));
}

void RunningCommand::ended(std::string_view how) noexcept {
  if (!std::exchange(parts_->ended, true)) parts_->record_end(how);
}

Commands::Commands(Files& files, Audit& audit, CommandOptions options)
    : parts_(std::shared_ptr<Parts>(new Parts{.files = files, .audit = audit, .options = options})) {}

Commands::~Commands() = default;

RunningCommand Commands::begin(const Session& session, const CommandRequest& request) {
  const CommandOptions& options = parts_->options;
  try {
    check_policy(session, options.policy);
  } catch (const ServiceError& error) {
    parts_->audit.record_refusal(session.user, session.source, "run", "", error.code(), error.what());
    throw;
  }
  auto running = std::make_unique<RunningCommand::Parts>(parts_, session, to_command(request, options));
  running->cwd = parts_->files.open_directory(session, request.cwd);
  running->timeout = to_timeout(request, options);
  running->options.stdin_ = Pipe::open;
  running->options.stdout_ = Pipe::open;
  running->options.stderr_ = Pipe::open;
  running->options.env = to_environment(request, options, session, parts_->files.home_of(session).string());
  running->options.cwd_fd = running->cwd.get();
  running->options.group = ProcessGroup::own;
  running->ended = false;
  return RunningCommand(std::move(running));
}

}  // namespace hawser::hub
