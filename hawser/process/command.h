// What to run, and where the standard streams of a child go: the vocabulary of Popen and run_command().
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hawser {

class PipeStream;
class Pty;

// A program and its arguments: {"ls", "-l"}. The program is looked for in PATH (the child's, when the environment is
// given) unless its name has a slash. Command::shell("ls | wc") is {"/bin/sh", "-c", "ls | wc"}.
struct Command {
  Command(std::initializer_list<std::string> args) : argv(args) {}
  Command(std::vector<std::string> args) : argv(std::move(args)) {}  // NOLINT(google-explicit-constructor)
  static Command shell(std::string text) { return Command{"/bin/sh", "-c", std::move(text)}; }

  // For messages: the words, quoted where a shell would need it.
  [[nodiscard]] std::string text() const;

  std::vector<std::string> argv;
};

// Where a standard stream of a child goes.
class Pipe {
 public:
  enum Kind : std::uint8_t {
    inherit,  // the parent's own, or the terminal that the child is given
    null,     // /dev/null
    open,     // a new pipe, whose other end the parent holds
    merged,   // standard error only: where standard output goes
  };
  Pipe(Kind kind) noexcept : kind_(kind) {}  // NOLINT(google-explicit-constructor): {.stdout_ = Pipe::open}
  // The given descriptor, which stays the caller's and must be open until the child was started. Throws
  // std::invalid_argument when it is negative.
  static Pipe to(int fd);
  // Our end of a pipe to another child, which becomes this child's: {.stdin_ = Pipe::to(first.output())}. Once the
  // child was started the stream is closed here, so that each of the two notices when the other one goes.
  static Pipe to(PipeStream& stream) noexcept { return Pipe(stream); }
  // A file, opened by the time the child starts: to read, to write from its beginning (made with mode 0666 less the
  // umask; what was in it is gone), or to write at its end. A relative path counts from our own directory.
  static Pipe from_file(std::string path);
  static Pipe to_file(std::string path);
  static Pipe append_to_file(std::string path);

  [[nodiscard]] bool is(Kind kind) const noexcept {
    return fd_ < 0 && stream_ == nullptr && path_.empty() && kind_ == kind;
  }
  // What was given; -1, null and empty when something else was.
  [[nodiscard]] int fd() const noexcept { return fd_; }
  [[nodiscard]] PipeStream* stream() const noexcept { return stream_; }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  // For the file: the flags of open(2).
  [[nodiscard]] int open_flags() const noexcept { return open_flags_; }

 private:
  explicit Pipe(int fd) noexcept : fd_(fd) {}
  explicit Pipe(PipeStream& stream) noexcept : stream_(&stream) {}
  Pipe(std::string path, int open_flags);
  Kind kind_ = inherit;
  int fd_ = -1;
  int open_flags_ = 0;
  PipeStream* stream_ = nullptr;
  std::string path_;
};

// The process group that a child belongs to. `shared`: the parent's, so Ctrl-C at a terminal reaches both. `own`: a new
// one, so all that the child starts can be signalled at once. `session`: a new session (setsid), which has a new group
// and no controlling terminal.
enum class ProcessGroup : std::uint8_t { shared, own, session };

using Environment = std::map<std::string, std::string, std::less<>>;

// The environment of this process.
[[nodiscard]] Environment current_environment();

struct PopenOptions {
  Pipe stdin_ = Pipe::inherit;
  Pipe stdout_ = Pipe::inherit;
  Pipe stderr_ = Pipe::inherit;
  // Takes the place of the inherited environment.
  std::optional<Environment> env = std::nullopt;
  // Added to it, or set anew in it.
  Environment add_env = {};
  // The directory to start in; a relative one counts from cwd_fd when that is given.
  std::string cwd = {};
  // A descriptor of the directory to start in. Stays the caller's.
  int cwd_fd = -1;
  ProcessGroup group = ProcessGroup::shared;
  // Descriptors that stay open in the child, under their numbers. All others are closed.
  std::vector<int> keep_fds = {};
  // Number in the child (above 2) -> our descriptor: {{3, listener.fileno()}}. Any of them may change places.
  std::map<int, int> map_fds = {};
  // The terminal of the child: its controlling one, in a new session, and where the streams go that would be inherited.
  // Stays the caller's.
  Pty* terminal = nullptr;
};

}  // namespace hawser
