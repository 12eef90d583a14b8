#include <hawser/process/fresh_program.h>

#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <string_view>

#include <hawser/base/errors.h>
#include <hawser/base/fd.h>
#include <hawser/base/system_calls.h>
#include <hawser/process/code_address.h>
#include <hawser/process/own_process.h>
#include <hawser/process/serialise.h>

// The program's initialisers, by the linker's own names.
// NOLINTBEGIN(bugprone-reserved-identifier)
extern "C" {
using Initialiser = void (*)(int, char**, char**);
extern const Initialiser __init_array_start[] __attribute__((visibility("hidden")));
extern const Initialiser __init_array_end[] __attribute__((visibility("hidden")));
}
// NOLINTEND(bugprone-reserved-identifier)

namespace hawser::detail {
namespace {

constexpr const char* kVariable = "HAWSER_FRESH";

void write_all(int fd, const std::string& text) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t put = ::pwrite(fd, text.data() + done, text.size() - done, static_cast<off_t>(done));
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) throw_errno("write", "the message to a new process");
    done += static_cast<std::size_t>(put);
  }
}

std::string read_all(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) throw_errno("read", "the message to this process");
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t got = ::pread(fd, text.data() + done, text.size() - done, static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) throw_errno("read", "the message to this process");
    done += static_cast<std::size_t>(got);
  }
  return text;
}

struct Envelope {
  pid_t parent = 0;
  bool dies_with_parent = true;
  std::string name;
  CodeAddress entry;
};

[[noreturn]] void run_afresh(int fd) noexcept {
  const OwnProcess::Ending ending = [fd] {
    try {
      const UniqueFd message(fd);
      const std::string text = read_all(message.get());
      ArchiveReader archive(text, text.size() * 4 + (std::size_t{1} << 20));
      Envelope envelope;
      archive(envelope);
      if (envelope.dies_with_parent) OwnProcess::end_with_parent(envelope.parent);
      OwnProcess::begin(envelope.name, envelope.dies_with_parent, envelope.parent);
      const auto entry = reinterpret_cast<FreshEntry>(envelope.entry.here());
      return OwnProcess::run([&] { entry(archive); });
    } catch (...) {
      return OwnProcess::failed(std::current_exception());
    }
  }();
  OwnProcess::end(ending);
}

// Runs before main(). In any other process it only looks at the environment.
__attribute__((constructor)) void begin_afresh(int argc, char** argv, char** variables) {
  const char* const number = std::getenv(kVariable);
  if (!number || ::getauxval(AT_SECURE) != 0) return;
  int fd = -1;
  const std::string_view text(number);
  if (std::from_chars(text.data(), text.data() + text.size(), fd).ec != std::errc() || fd < 0) return;
  ::unsetenv(kVariable);
  const Initialiser* const mine = std::find(__init_array_start, __init_array_end, &begin_afresh);
  if (mine == __init_array_end) std::abort();
  std::for_each(mine + 1, __init_array_end, [&](Initialiser next) { next(argc, argv, variables); });
  run_afresh(fd);
}

}  // namespace

ChildStart::Child start_afresh(FreshEntry entry, const std::string& message, const FreshOptions& options) {
  if (offset_in_program(reinterpret_cast<const void*>(&begin_afresh)) == 0) {
    throw std::logic_error("a process is started afresh only by a program that hawser is linked into");
  }
  std::string text;
  append_bytes(text, Envelope{.parent = ::getpid(),
                              .dies_with_parent = options.dies_with_parent,
                              .name = options.name,
                              .entry = CodeAddress::of(entry)});
  text += message;
  const UniqueFd memory(sys::memfd_create("hawser message", MFD_CLOEXEC));
  if (!memory) throw_errno("memfd_create", "");
  write_all(memory.get(), text);
  const UniqueFd nothing(sys::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!nothing) throw_errno("open", "/dev/null");
  PopenOptions how{.add_env = {{kVariable, std::to_string(memory.get())}}, .keep_fds = options.keep_fds};
  how.keep_fds.push_back(memory.get());
  ChildStart start(Command{"/proc/self/exe", options.name}, how);
  start.set_stream(STDIN_FILENO, nothing.get());
  return start.run();
}

}  // namespace hawser::detail
