#include "cli/landing.h"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fmt/format.h>

#include <hawser/base/errors.h>

#include "cli/failure.h"
#include "cli/terminal.h"
#include "hub/service/error.h"
#include "hub/service/path.h"

namespace hawser::cli {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr mode_t kFolderMode = 0777;  // less the umask

// Below top, whatever links lie in between; where the kernel has no openat2(2), without following any link.
int open_below(int top, const std::string& path) {
  const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  const long fd = ::syscall(SYS_openat2, top, path.c_str(), &how, sizeof how);
  if (fd >= 0 || (errno != ENOSYS && errno != EPERM)) return static_cast<int>(fd);
  UniqueFd here(::fcntl(top, F_DUPFD_CLOEXEC, 0));
  for (std::size_t begin = 0; here && begin < path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    here.reset(::openat(here.get(), path.substr(begin, end - begin).c_str(), flags | O_NOFOLLOW));
    begin = end + 1;
  }
  return here.release();
}

std::pair<std::string, std::string> split(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return {"", path};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

void write_fully(int fd, BytesView data, const std::string& name) {
  while (!data.empty()) {
    const ssize_t written = ::write(fd, data.data(), data.size());
    if (written < 0 && errno != EINTR) throw_errno("write", name);
    if (written > 0) data = data.from(static_cast<std::size_t>(written));
  }
}

// FNV-1a: a short stand-in for a name that is too long to be lengthened.
std::uint64_t short_hash(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

std::string lengthened(const std::string& name, std::string_view suffix) {
  constexpr std::size_t kLongestName = 255;
  if (name.size() + 1 + suffix.size() <= kLongestName) return fmt::format(".{}{}", name, suffix);
  return fmt::format(".{:016x}{}", short_hash(name), suffix);
}

}  // namespace

void check_landing_path(const std::string& path) {
  try {
    if (hub::Path::parse(path).text() == path && !path.empty()) return;
  } catch (const hub::ServiceError&) {
    // Said below.
  }
  throw refusal("forbidden", fmt::format("the hub names a file that may not be written here: {}", printable(path)));
}

Landing::Landing(const std::string& top) : name_(top), top_(::open(top.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (!top_) throw_errno("open", top);
}

UniqueFd Landing::open_folder(const std::string& path) const {
  if (path.empty()) {
    UniqueFd same(::fcntl(top_.get(), F_DUPFD_CLOEXEC, 0));
    if (!same) throw_errno("dup", name_);
    return same;
  }
  UniqueFd folder(open_below(top_.get(), path));
  if (!folder && errno == ENOENT) {
    const auto [above, name] = split(path);
    const UniqueFd parent = open_folder(above);
    if (::mkdirat(parent.get(), name.c_str(), kFolderMode) != 0 && errno != EEXIST) throw_errno("mkdir", path);
    folder.reset(open_below(top_.get(), path));
  }
  if (folder) return folder;
  if (errno == EXDEV || errno == ELOOP)
    throw local_failure(fmt::format("{} leads out of the destination: nothing is written through it", path));
  throw_errno("open", path);
}

std::optional<LandingState> Landing::look(const std::string& path) const {
  const auto [above, name] = split(path);
  const UniqueFd folder(above.empty() ? ::fcntl(top_.get(), F_DUPFD_CLOEXEC, 0) : open_below(top_.get(), above));
  struct stat status {};
  if (!folder || ::fstatat(folder.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return std::nullopt;
  return LandingState{static_cast<std::uint64_t>(status.st_size),
                      status.st_mtim.tv_sec * kSecond + status.st_mtim.tv_nsec, S_ISREG(status.st_mode)};
}

std::string part_name(const std::string& name) { return lengthened(name, ".hawser-part"); }
std::string part_note_name(const std::string& name) { return lengthened(name, ".hawser-note"); }

void sync_folder(int folder) { static_cast<void>(::fsync(folder)); }

void settle_file(int folder, int fd, const std::string& temporary, const std::string& name, std::uint32_t mode,
                 std::int64_t mtime_ns) {
  if (::fchmod(fd, mode & 0777U) != 0) throw_errno("chmod", name);
  std::int64_t seconds = mtime_ns / kSecond, rest = mtime_ns % kSecond;
  if (rest < 0) {
    rest += kSecond;
    --seconds;
  }
  const timespec times[2] = {{0, UTIME_NOW}, {seconds, rest}};
  if (::futimens(fd, times) != 0) throw_errno("set the time of", name);
  if (::fsync(fd) != 0) throw_errno("fsync", name);
  if (::renameat(folder, temporary.c_str(), folder, name.c_str()) != 0) throw_errno("rename to", name);
}

void land_file(int folder, const std::string& name, BytesView content, std::uint32_t mode, std::int64_t mtime_ns) {
  const std::string temporary = part_name(name);
  constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  UniqueFd fd(::openat(folder, temporary.c_str(), kFlags, 0600));
  if (!fd && errno == EEXIST) {
    // Left behind by one that was killed, or the part of what was once a large file.
    ::unlinkat(folder, temporary.c_str(), 0);
    ::unlinkat(folder, part_note_name(name).c_str(), 0);
    fd.reset(::openat(folder, temporary.c_str(), kFlags, 0600));
  }
  if (!fd) throw_errno("create", name);
  try {
    write_fully(fd.get(), content, name);
    settle_file(folder, fd.get(), temporary, name, mode, mtime_ns);
  } catch (const std::exception&) {
    ::unlinkat(folder, temporary.c_str(), 0);
    throw;
  }
}

}  // namespace hawser::cli
