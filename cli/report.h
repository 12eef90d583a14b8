// Report: where a command's results and words go. Results to standard output, words to standard error.
//
// Results are kept back until a few KiB have come together and written by flush() at the latest. Writes block: a
// command that prints has nothing else to do. Throws Failure when standard output cannot be written; quietly when
// nobody reads it any more. Belongs to one thread.
#pragma once

#include <string>
#include <string_view>

#include <hawser/wire/json.h>

#include "cli/failure.h"
#include "cli/globals.h"

namespace hawser::cli {

class Progress;

class Report {
 public:
  // `command` is what was typed: it begins every error.
  Report(const Globals& globals, std::string command) : globals_(globals), command_(std::move(command)) {}

  // A line of results. Control characters are escaped on a terminal.
  void line(std::string_view text);
  // The same for a line whose names are escaped already and that holds colours of ours.
  void painted_line(std::string_view text);
  // The result as one line of JSON.
  void json(const Json& value);
  // A line for people; not with -q.
  void say(std::string_view text);
  // Only with -v.
  void detail(std::string_view text);
  // Something that is not as it should be, but no failure.
  void warn(std::string_view text);
  // "hawser: put a.txt: quota_exceeded: …". object may be empty.
  void fail(std::string_view object, const Failure& failure);
  void flush();

  [[nodiscard]] bool wants_json() const noexcept { return globals_.json; }
  [[nodiscard]] bool quiet() const noexcept { return globals_.quiet; }
  [[nodiscard]] bool verbose() const noexcept { return globals_.verbose; }
  // A progress bar on the screen is wiped before anything else is written there.
  void set_progress(Progress* progress) noexcept { progress_ = progress; }

 private:
  void words(std::string_view text);
  const Globals& globals_;
  std::string command_;
  std::string pending_;
  Progress* progress_ = nullptr;
};

// {"ok":false,"error":{"code":…,"message":…}}
[[nodiscard]] Json error_json(const Failure& failure);

}  // namespace hawser::cli
