#include "cli/local_tree.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <system_error>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <fmt/format.h>

#include <hawser/base/errors.h>
#include <hawser/base/fd.h>

#include "cli/failure.h"
#include "cli/remote_files.h"

namespace hawser::cli {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::size_t kDeepest = 100;  // the hub takes paths of 128 parts

UploadJob job_of(const std::string& local, const std::string& remote, const struct stat& status) {
  return {local, remote, static_cast<std::uint64_t>(status.st_size),
          status.st_mtim.tv_sec * kSecond + status.st_mtim.tv_nsec, false};
}

std::string reason(int error) { return std::generic_category().message(error); }

void walk(int parent, const std::string& name, const std::string& local, const std::string& remote, std::size_t depth,
          UploadList& list) {
  const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | (depth > 0 ? O_NOFOLLOW : 0);
  UniqueFd fd(::openat(parent, name.c_str(), flags));
  if (!fd) {
    if (depth == 0) throw_errno("open", local);
    return list.skipped.push_back({local, reason(errno)});
  }
  if (depth > kDeepest) return list.skipped.push_back({local, "nested too deeply"});
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::fdopendir(fd.get()), ::closedir);
  if (!folder) throw_errno("open", local);
  const int here = fd.release();  // the DIR owns it now
  if (!remote.empty()) list.folders.push_back(remote);

  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(folder.get())) {
    const std::string_view each = entry->d_name;
    if (each != "." && each != "..") names.emplace_back(each);
  }
  std::ranges::sort(names);
  for (const std::string& each : names) {
    const std::string path = join_path(local, each);
    struct stat status {};
    if (::fstatat(here, each.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno != ENOENT) list.skipped.push_back({path, reason(errno)});
    } else if (S_ISDIR(status.st_mode)) {
      walk(here, each, path, join_path(remote, each), depth + 1, list);
    } else if (S_ISREG(status.st_mode)) {
      list.files.push_back(job_of(path, join_path(remote, each), status));
    } else {
      list.skipped.push_back({path, S_ISLNK(status.st_mode) ? "a symbolic link" : "not a regular file"});
    }
  }
}

}  // namespace

LocalKind local_kind(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return LocalKind::nothing;
    throw_errno("stat", path);
  }
  if (S_ISDIR(status.st_mode)) return LocalKind::folder;
  if (!S_ISREG(status.st_mode)) throw local_failure("not a regular file");
  return LocalKind::file;
}

std::string local_name(const std::string& path) {
  std::string trimmed = path;
  while (trimmed.size() > 1 && trimmed.ends_with('/')) trimmed.pop_back();
  std::string name = base_name(trimmed);
  if (!name.empty() && name != "." && name != "..") return name;
  std::error_code error;
  std::string real = std::filesystem::canonical(path, error).filename().native();
  if (real.empty() || error) throw usage_error(fmt::format("{} has no name of its own: give a destination", path));
  return real;
}

void add_file(const std::string& local, const std::string& remote, UploadList& list) {
  struct stat status {};
  if (::stat(local.c_str(), &status) != 0) throw_errno("stat", local);
  list.files.push_back(job_of(local, remote, status));
  list.files.back().follow = true;
}

void add_tree(const std::string& local, const std::string& remote, UploadList& list) {
  std::string top = local;
  while (top.size() > 1 && top.ends_with('/')) top.pop_back();
  walk(AT_FDCWD, top, top, remote, 0, list);
}

}  // namespace hawser::cli
