#include "hub/service/staging.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <ctime>
#include <limits>
#include <utility>
#include <vector>

#include <hawser/base/errors.h>
#include <hawser/base/log.h>

#include "hub/service/error.h"
#include "hub/service/file_errors.h"
#include "hub/service/file_version.h"
#include "hub/service/home.h"
#include "hub/service/tree_walk.h"

namespace hawser::hub {
namespace {

constexpr std::string_view kOnce = "once-";
constexpr std::string_view kSynced = ".synced";
constexpr const char* kShown = "the hub's staging area";

std::span<const std::byte> bytes_of_text(std::string_view text) { return std::as_bytes(std::span(text)); }

// Small files that the hub writes for itself; empty when there is none.
std::string read_small(int folder, const std::string& name) {
  const UniqueFd file(::openat(folder, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  std::array<char, 256> text{};
  const ssize_t size = file ? ::read(file.get(), text.data(), text.size()) : -1;
  return size > 0 ? std::string(text.data(), static_cast<std::size_t>(size)) : std::string();
}

void write_small(int folder, const std::string& name, std::string_view text) {
  const UniqueFd file(::openat(folder, name.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file || ::pwrite(file.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()) ||
      ::ftruncate(file.get(), static_cast<off_t>(text.size())) < 0) {
    throw_file_error(kShown);
  }
}

// "<length> <digest of length and name>": a note that was torn by a power cut counts as none.
std::string synced_note(const std::string& name, std::uint64_t length) {
  Hasher digest(HashAlgorithm::xxh3_128);
  digest.update(bytes_of_text(fmt::format("{} {}", length, name)));
  return fmt::format("{} {}\n", length, digest.finish().value);
}

std::uint64_t synced_length(int folder, const std::string& name) {
  const std::string note = read_small(folder, name + std::string(kSynced));
  std::uint64_t length = 0;
  std::from_chars(note.data(), note.data() + note.size(), length);
  return note == synced_note(name, length) ? length : 0;
}

std::string this_boot() {
  const UniqueFd proc(::open("/proc/sys/kernel/random", O_PATH | O_DIRECTORY | O_CLOEXEC));
  return proc ? read_small(proc.get(), "boot_id") : std::string();
}

struct StagedName {
  int folder;
  std::string user;
  std::string name;
  struct stat status;
};

// Every file in every user's folder; those that begin with '.' are the hub's own.
template <class F>
void for_each_staged(int root, F&& visit) {
  UniqueFd start(::openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!start) throw_file_error(kShown);
  TreeWalk walk(std::move(start), kShown, {});
  TreeWalk::Step step;
  while (walk.next(step)) {
    if (step.below.empty() || !S_ISREG(step.status.st_mode)) continue;
    visit(StagedName{step.directory, step.below.substr(0, step.below.size() - 1), step.name, step.status});
  }
}

}  // namespace

std::string upload_key(const Path& path, std::uint64_t total, const FileHash& hash) {
  Hasher digest(HashAlgorithm::sha256);
  digest.update(
      bytes_of_text(fmt::format("{}\n{}\n{}\n{}", path.text(), total, to_string(hash.algorithm), hash.value)));
  return digest.finish().value;
}

Staging::Staging(int root, std::chrono::seconds keep, std::size_t partials_per_user)
    : root_(duplicate(root)), keep_(keep), partials_per_user_(partials_per_user) {
  lock();
  cut_back_after_boot();
  for_each_staged(root_.get(), [&](const StagedName& staged) {
    if (staged.name.starts_with(kOnce)) {
      ::unlinkat(staged.folder, staged.name.c_str(), 0);
    } else if (!staged.name.ends_with(kSynced)) {
      count(staged.user, 1);
    }
  });
}

void Staging::lock() {
  lock_.reset(::openat(root_.get(), ".lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!lock_) throw_errno("open", ".lock");
  if (::flock(lock_.get(), LOCK_EX | LOCK_NB) < 0) {
    if (errno == EWOULDBLOCK) throw ServiceError(ErrorCode::busy, "another hub is running in this folder");
    throw_errno("flock", ".lock");
  }
}

void Staging::cut_back_after_boot() {
  const std::string boot = this_boot();
  if (!boot.empty() && read_small(root_.get(), ".boot") == boot) return;
  for_each_staged(root_.get(), [](const StagedName& staged) {
    if (staged.name.ends_with(kSynced)) return;
    const std::uint64_t safe = synced_length(staged.folder, staged.name);
    if (safe >= static_cast<std::uint64_t>(staged.status.st_size)) return;
    const UniqueFd file(::openat(staged.folder, staged.name.c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!file || ::ftruncate(file.get(), static_cast<off_t>(safe)) < 0) throw_file_error(kShown);
  });
  write_small(root_.get(), ".boot", boot);
}

UniqueFd Staging::folder_of(const std::string& user, bool make) const {
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  UniqueFd folder(::openat(root_.get(), user.c_str(), kFlags));
  if (!folder && errno == ENOENT && make) {
    if (::mkdirat(root_.get(), user.c_str(), 0700) < 0 && errno != EEXIST) throw_file_error(kShown);
    folder.reset(::openat(root_.get(), user.c_str(), kFlags));
  }
  if (!folder && errno != ENOENT) throw_file_error(kShown);
  return folder;
}

std::uint64_t Staging::size_of(const std::string& user, const std::string& key) const {
  const UniqueFd folder = folder_of(user, false);
  struct stat status {};
  if (!folder || ::fstatat(folder.get(), key.c_str(), &status, AT_SYMLINK_NOFOLLOW) < 0) return 0;
  return static_cast<std::uint64_t>(status.st_size);
}

std::optional<StagedFile> Staging::find(const std::string& user, const std::string& key) const {
  StagedFile staged{.folder = folder_of(user, false), .name = key, .file = {}, .size = 0};
  if (!staged.folder) return std::nullopt;
  staged.file.reset(::openat(staged.folder.get(), key.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC));
  if (!staged.file && errno == ENOENT) return std::nullopt;
  if (!staged.file) throw_file_error(kShown);
  staged.size = static_cast<std::uint64_t>(status_of(staged.file.get(), kShown).st_size);
  return staged;
}

StagedFile Staging::make(const std::string& user, const std::string& key, UploadSlots& slots) {
  StagedFile staged{.folder = folder_of(user, true), .name = key, .file = {}, .size = 0};
  while (!take_place(user)) {
    if (!drop_oldest(user, slots)) {
      throw ServiceError(ErrorCode::busy, fmt::format("{} uploads are under way already", partials_per_user_));
    }
  }
  staged.file.reset(
      ::openat(staged.folder.get(), key.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!staged.file) {
    const int error = errno;
    count(user, -1);
    throw_file_error(error, kShown);
  }
  return staged;
}

std::string Staging::once_name() {
  const std::lock_guard hold(mutex_);
  return fmt::format("{}{}", kOnce, next_once_++);
}

bool Staging::take_place(const std::string& user) {
  const std::lock_guard hold(mutex_);
  const auto have = counts_.find(user);
  if (have != counts_.end() && have->second >= partials_per_user_) return false;
  ++counts_[user];
  return true;
}

bool Staging::drop_oldest(const std::string& user, UploadSlots& slots) {
  std::vector<std::pair<std::int64_t, std::string>> candidates;
  TreeWalk walk(folder_of(user, true), kShown, {.recursive = false, .leaving = false});
  TreeWalk::Step step;
  while (walk.next(step)) {
    // Those that cannot be resumed are in use, or on their way out.
    if (step.name.starts_with(kOnce) || step.name.ends_with(kSynced)) continue;
    candidates.emplace_back(nanoseconds_of(step.status.st_mtim), step.name);
  }
  std::ranges::sort(candidates);
  const UniqueFd folder = folder_of(user, true);
  for (const auto& [mtime, name] : candidates) {
    const auto slot = slots.take_unused(fmt::format("{}/{}", user, name));
    if (!slot) continue;
    const auto hold = slot->try_use();
    if (!hold || ::unlinkat(folder.get(), name.c_str(), 0) < 0) continue;
    ::unlinkat(folder.get(), (name + std::string(kSynced)).c_str(), 0);
    count(user, -1);
    return true;
  }
  return false;
}

void Staging::count(const std::string& user, int by) noexcept {
  const std::lock_guard hold(mutex_);
  std::size_t& have = counts_[user];
  have = by > 0 ? have + 1 : have - std::min<std::size_t>(have, 1);
  if (have == 0) counts_.erase(user);
}

void Staging::drop(const std::string& user, const StagedFile& staged) noexcept {
  if (::unlinkat(staged.folder.get(), staged.name.c_str(), 0) == 0) moved(user, staged);
}

void Staging::moved(const std::string& user, const StagedFile& staged) noexcept {
  ::unlinkat(staged.folder.get(), (staged.name + std::string(kSynced)).c_str(), 0);
  count(user, -1);
}

void Staging::note_synced(const StagedFile& staged, std::uint64_t length) const {
  write_small(staged.folder.get(), staged.name + std::string(kSynced), synced_note(staged.name, length));
}

std::uint64_t Staging::bytes_of(const std::string& user,
                                const std::map<std::string, std::uint64_t, std::less<>>& but_for) const {
  UniqueFd folder = folder_of(user, false);
  if (!folder) return 0;
  std::uint64_t bytes = 0;
  TreeWalk walk(std::move(folder), kShown, {.recursive = false, .leaving = false});
  TreeWalk::Step step;
  while (walk.next(step)) {
    if (!but_for.contains(step.name)) bytes += static_cast<std::uint64_t>(step.status.st_size);
  }
  return bytes;
}

std::uint64_t Staging::free_bytes() const {
  struct statvfs status {};
  if (::fstatvfs(root_.get(), &status) < 0) throw_file_error(kShown);
  // A tmpfs without a limit says 0 of 0.
  if (status.f_blocks == 0) return std::numeric_limits<std::uint64_t>::max();
  return static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
}

void Staging::clean_up(UploadSlots& slots) {
  const std::int64_t oldest = static_cast<std::int64_t>(std::time(nullptr)) - keep_.count();
  for_each_staged(root_.get(), [&](const StagedName& staged) {
    if (staged.name.starts_with(kOnce) || staged.status.st_mtim.tv_sec >= oldest) return;
    if (staged.name.ends_with(kSynced)) {
      const std::string key = staged.name.substr(0, staged.name.size() - kSynced.size());
      struct stat part {};
      if (::fstatat(staged.folder, key.c_str(), &part, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT) return;
      ::unlinkat(staged.folder, staged.name.c_str(), 0);
      return;
    }
    // Taken, so that nobody goes on with the file while it is being removed.
    const std::string key = fmt::format("{}/{}", staged.user, staged.name);
    const auto slot = slots.take_unused(key);
    if (!slot) return;
    const auto hold = slot->try_use();
    if (hold && ::unlinkat(staged.folder, staged.name.c_str(), 0) == 0) count(staged.user, -1);
  });
}

}  // namespace hawser::hub
