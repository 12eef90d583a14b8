#include "cli/private_file.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <hawser/base/errors.h>
#include <hawser/base/fd.h>

#include "cli/failure.h"

namespace hawser::cli {
namespace {

constexpr std::size_t kLargest = 1U << 20U;

void make_folder(const std::filesystem::path& folder) {
  if (folder.empty() || ::access(folder.c_str(), F_OK) == 0) return;
  make_folder(folder.parent_path());
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) throw_errno("mkdir", folder.native());
}

void write_all(int fd, std::string_view text, const std::filesystem::path& file) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno != EINTR) throw_errno("write", file.native());
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

std::string read_private_file(const std::filesystem::path& file) {
  const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) {
    if (errno == ENOENT || errno == ENOTDIR) return {};
    throw_errno("open", file.native());
  }
  std::string text;
  for (;;) {
    constexpr std::size_t kStep = 4096;
    const std::size_t have = text.size();
    if (have > kLargest) throw local_failure(file.native() + ": too large to be ours");
    text.resize(have + kStep);
    const ssize_t got = ::read(fd.get(), text.data() + have, kStep);
    if (got < 0 && errno != EINTR) throw_errno("read", file.native());
    text.resize(have + static_cast<std::size_t>(got > 0 ? got : 0));
    if (got == 0) return text;
  }
}

void change_private_file(const std::filesystem::path& file,
                         const std::function<std::string(std::string_view)>& change) {
  make_folder(file.parent_path());
  // The lock is a file of its own, for the other one is replaced.
  auto lock_name = file;
  lock_name += ".lock";
  const UniqueFd lock(::open(lock_name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock) throw_errno("open", lock_name.native());
  while (::flock(lock.get(), LOCK_EX) != 0)
    if (errno != EINTR) throw_errno("flock", lock_name.native());

  const std::string before = read_private_file(file);
  const std::string after = change(before);
  if (after == before) return;

  auto fresh_name = file;
  fresh_name += ".new";
  ::unlink(fresh_name.c_str());  // left behind by one that was killed; the lock is ours
  const UniqueFd fresh(::open(fresh_name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fresh) throw_errno("open", fresh_name.native());
  write_all(fresh.get(), after, fresh_name);
  if (::fsync(fresh.get()) != 0) throw_errno("fsync", fresh_name.native());
  if (::rename(fresh_name.c_str(), file.c_str()) != 0) throw_errno("rename", file.native());
  const UniqueFd folder(::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder) ::fsync(folder.get());
}

}  // namespace hawser::cli
