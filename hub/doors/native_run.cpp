// Commands: run.
#include <cerrno>
#include <optional>
#include <stdexcept>
#include <string>

#include <fmt/format.h>

#include <hawser/base/errors.h>
#include <hawser/fiber/cancellation.h>
#include <hawser/fiber/offload.h>
#include <hawser/process/popen.h>

#include "hub/doors/command_talk.h"
#include "hub/doors/native_commands.h"
#include "hub/doors/native_conversation.h"
#include "hub/doors/request_fields.h"
#include "hub/doors/signal_names.h"

namespace hawser::hub::native {

namespace {

CommandRequest command_of(const Frame& request) {
  CommandRequest command;
  if (const Json* argv = given(request, "argv")) {
    for (const Json& word : JsonField("argv", argv).as_array()) {
      command.argv.push_back(JsonField("argv", &word).as_string());
    }
  }
  if (const Json* shell = given(request, "shell")) command.shell = JsonField("shell", shell).as_string();
  if (given(request, "cwd") != nullptr) command.cwd = path_of(request, "cwd");
  if (const Json* env = given(request, "env")) {
    for (const Json::Member& variable : JsonField("env", env).as_object()) {
      command.env.emplace(variable.key, JsonField(variable.key, &variable.value).as_string());
    }
  }
  command.timeout = optional_seconds(request, "timeout");
  if (const Json* tty = given(request, "tty")) {
    if (!tty->is_bool() || tty->as_bool()) {
      throw ServiceError(ErrorCode::bad_request, "this hub offers no terminals: \"tty\" must be left out");
    }
  }
  return command;
}

// Why a command could not be started, in the protocol's words.
ServiceError not_started(const SystemError& error) {
  switch (error.error_number()) {
    case ENOENT:
      return {ErrorCode::not_found, fmt::format("no such program: {}", error.object())};
    case EACCES:
    case EPERM:
      return {ErrorCode::forbidden, error.what()};
    case ENOEXEC:
    case EISDIR:
    case ENOTDIR:
      return {ErrorCode::bad_request, error.what()};
    case E2BIG:
      return {ErrorCode::too_large, error.what()};
    case EAGAIN:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return {ErrorCode::busy, error.what()};
    default:
      return {ErrorCode::internal, error.what()};
  }
}

struct Started {
  RunningCommand running;
  Popen child;
};

// Blocks: the disk, the start of the process, the audit line.
Started start(Commands& commands, const Session& session, const CommandRequest& request) {
  RunningCommand running = commands.begin(session, request);
  try {
    Popen child(running.command(), running.options());
    running.started(child.pid());
    return {std::move(running), std::move(child)};
  } catch (const SystemError& error) {
    running.ended(error.what());
    throw not_started(error);
  } catch (const std::invalid_argument& error) {
    running.ended(error.what());
    throw ServiceError(ErrorCode::bad_request, error.what());
  }
}

std::string in_words(const CommandTalk::End& end) {
  if (end.timed_out) return "timeout";
  return end.code < 0 ? "signal " + signal_name(-end.code) : fmt::format("exit {}", end.code);
}

void write_down(RunningCommand& running, std::string_view how) {
  const Shield shield;
  offload([&] { running.ended(how); });
}

}  // namespace

void run(NativeConversation& talk, const Frame& request) {
  const Session& session = talk.session();
  const CommandRequest wanted = command_of(request);
  Started started = offload([&] { return start(talk.services().commands, session, wanted); });

  Json reply = NativeConversation::reply_to(request);
  reply.set("pid", started.child.pid());
  CommandTalk::End end;
  try {
    talk.send(reply);
    CommandTalk command(talk, request, started.child, started.running.timeout());
    end = command.run();
  } catch (const std::exception&) {
    write_down(started.running, "client gone");
    throw;
  }
  Json last = Json::object();
  if (const Json* id = request.header().find("id")) last.set("id", *id);
  if (end.timed_out) {
    last.set("timeout", true);
  } else if (end.code < 0) {
    last.set("signal", signal_name(-end.code));
  } else {
    last.set("exit", end.code);
  }
  // The input that it did not live to take.
  if (talk.must_close()) last.set("closing", true);
  write_down(started.running, in_words(end));
  talk.send(last);
}

}  // namespace hawser::hub::native
