#include "hub/service/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <utility>

#include <hawser/base/errors.h>

#include "hub/service/download_begin.h"
#include "hub/service/error.h"
#include "hub/service/file_errors.h"
#include "hub/service/file_root.h"
#include "hub/service/file_version.h"
#include "hub/service/tree_walk.h"
#include "hub/service/upload_begin.h"

namespace hawser::hub {
namespace {

constexpr mode_t kDirectoryMode = 0755;

void sync_directory(const Place& place, std::string_view shown) {
  if (::fsync(place.directory.get()) < 0) throw_file_error(shown);
}

void remove_name(int directory, const char* name, bool is_directory, std::string_view shown) {
  if (::unlinkat(directory, name, is_directory ? AT_REMOVEDIR : 0) < 0 && errno != ENOENT) throw_file_error(shown);
}

// Empties the directory `name` in place, by descriptors alone.
void remove_contents(const Place& place, const std::string& shown, const std::stop_token& stop) {
  UniqueFd start(::openat(place.directory.get(), place.name.c_str(),
                          O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!start) throw_file_error(shown);
  TreeWalk walk(std::move(start), shown, {.recursive = true, .leaving = true});
  TreeWalk::Step step;
  while (walk.next(step)) {
    if (stop.stop_requested()) throw Cancelled("remove: cancelled");
    const bool is_directory = S_ISDIR(step.status.st_mode);
    if (is_directory && !step.leaving) continue;
    remove_name(step.directory, step.name.c_str(), is_directory, fmt::format("{}/{}{}", shown, step.below, step.name));
  }
}

}  // namespace

struct Files::Parts : FileRoot {
  using FileRoot::FileRoot;
};

Files::Files(const std::filesystem::path& root, Store& store, Audit& audit, FileOptions options)
    : parts_(std::make_unique<Parts>(root, store, audit, options)) {}

Files::~Files() = default;

Listing Files::list(const Session& session, const Path& path, bool recursive) {
  UniqueFd directory = parts_->home_of(session).directory(path);
  return Listing(std::make_unique<TreeWalk>(std::move(directory), path.shown(),
                                            TreeWalk::Options{.recursive = recursive, .leaving = false}));
}

Entry Files::stat(const Session& session, const Path& path) {
  const struct stat status = parts_->home_of(session).status(path);
  Entry entry = to_entry(path.is_home() ? "." : std::string(path.name()), status);
  if (entry.type != EntryType::file) return entry;
  for (const auto algorithm : {HashAlgorithm::xxh3_128, HashAlgorithm::sha256, HashAlgorithm::md5}) {
    if ((entry.hash = parts_->known_hash(status, algorithm))) break;
  }
  return entry;
}

void Files::mkdir(const Session& session, const Path& path, bool parents) {
  if (path.is_home()) {
    if (parents) return;
    throw_file_error(EEXIST, path.shown());
  }
  const Home home = parts_->home_of(session);
  if (parents) {
    try {
      static_cast<void>(home.directory(path));
      return;
    } catch (const ServiceError& error) {
      if (error.code() != ErrorCode::not_found) throw;
    }
    if (const Path above = path.parent(); !above.is_home()) mkdir(session, above, true);
  }
  const Place place = home.place(path);
  if (::mkdirat(place.directory.get(), place.name.c_str(), kDirectoryMode) < 0) {
    if (errno != EEXIST || !parents) throw_file_error(path.shown());
    // Made by somebody else meanwhile, or a file or a link to nowhere.
    static_cast<void>(home.directory(path));
    return;
  }
  sync_directory(place, path.shown());
  parts_->record(session, "mkdir", path.text());
}

void Files::remove(const Session& session, const Path& path, bool recursive, const std::stop_token& stop) {
  const Place place = parts_->home_of(session).place(path);
  struct stat status {};
  if (!status_of(place, path.text(), status)) throw_file_error(ENOENT, path.text());
  const bool is_directory = S_ISDIR(status.st_mode);
  if (!is_directory && path.names_directory()) throw_file_error(ENOTDIR, path.text());
  try {
    if (is_directory && recursive) remove_contents(place, path.text(), stop);
    if (::unlinkat(place.directory.get(), place.name.c_str(), is_directory ? AT_REMOVEDIR : 0) < 0) {
      throw_file_error(path.text());
    }
  } catch (const std::exception& error) {
    if (recursive) parts_->record(session, "remove", path.text(), fmt::format("partly: {}", error.what()));
    throw;
  }
  parts_->record(session, "remove", path.text());
}

void Files::move(const Session& session, const Path& from, const Path& to) {
  const Home home = parts_->home_of(session);
  const Place source = home.place(from);
  struct stat status {};
  if (!status_of(source, from.text(), status)) throw_file_error(ENOENT, from.text());
  const bool is_directory = S_ISDIR(status.st_mode);
  if (!is_directory && (from.names_directory() || to.names_directory())) {
    throw_file_error(ENOTDIR, from.names_directory() ? from.shown() : to.shown());
  }
  if (to.is_home()) throw_file_error(EEXIST, to.shown());
  const Place target = home.place(to);
  const auto known = S_ISREG(status.st_mode) ? parts_->known_hash(status, HashAlgorithm::xxh3_128) : std::nullopt;
  if (::renameat2(source.directory.get(), source.name.c_str(), target.directory.get(), target.name.c_str(),
                  RENAME_NOREPLACE) < 0) {
    if (errno == EEXIST) throw_file_error(EEXIST, to.text());
    if (errno == EINVAL && is_directory) {
      throw ServiceError(ErrorCode::bad_request, fmt::format("a directory cannot go into itself: {}", to.text()));
    }
    throw_file_error(from.text());
  }
  sync_directory(target, to.text());
  sync_directory(source, from.text());
  // The move changed the file's ctime, and thereby what its hash is known by.
  struct stat moved {};
  if (known && status_of(target, to.text(), moved) && moved.st_ino == status.st_ino &&
      moved.st_size == status.st_size && nanoseconds_of(moved.st_mtim) == nanoseconds_of(status.st_mtim)) {
    parts_->remember(moved, *known);
  }
  parts_->record(session, "move", fmt::format("{} -> {}", from.text(), to.text()));
}

FileHash Files::sum(const Session& session, const Path& path, HashAlgorithm algorithm, const std::stop_token& stop) {
  struct stat status {};
  const UniqueFd file = parts_->home_of(session).regular_file(path, status);
  if (auto known = parts_->known_hash(status, algorithm)) return std::move(*known);
  Hasher hasher(algorithm);
  hash_file(file.get(), static_cast<std::uint64_t>(status.st_size), hasher, path.text(), stop);
  FileHash hash = hasher.finish();
  const auto now = status_if_unchanged(file.get(), status, hash, path.text(), stop);
  if (!now) {
    throw ServiceError(ErrorCode::conflict, fmt::format("the file changed while it was being read: {}", path.text()));
  }
  parts_->remember_read(*now, hash);
  return hash;
}

DiskUse Files::du(const Session& session, const Path& path, const std::stop_token& stop) {
  return disk_use(parts_->home_of(session), path, stop);
}

std::uint64_t Files::upload_offset(const Session& session, const Path& path, std::uint64_t total,
                                   const std::optional<FileHash>& hash) {
  return staged_offset(*parts_, session, {.path = path, .total = total, .hash = hash});
}

Upload Files::begin_upload(const Session& session, const UploadRequest& request, const std::stop_token& stop) {
  return Upload(begin(*parts_, session, request, stop));
}

Download Files::begin_download(const Session& session, const DownloadRequest& request) {
  return Download(begin(*parts_, session, request));
}

UniqueFd Files::open_directory(const Session& session, const Path& path) {
  return parts_->home_of(session).resolve(path, O_PATH | O_DIRECTORY);
}

std::filesystem::path Files::home_of(const Session& session) { return parts_->path / "homes" / session.user; }

void Files::clean_up() { parts_->staging.clean_up(parts_->slots); }

}  // namespace hawser::hub
