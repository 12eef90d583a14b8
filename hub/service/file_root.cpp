#include "hub/service/file_root.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <exception>
#include <memory>

#include <hawser/base/errors.h>
#include <hawser/base/log.h>

#include "hub/service/error.h"
#include "hub/service/file_errors.h"
#include "hub/service/file_version.h"

namespace hawser::hub {
namespace {

constexpr int kFolder = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

UniqueFd open_root(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  UniqueFd fd(::open(folder.c_str(), kFolder));
  if (!fd) throw_errno("open", folder.string());
  return fd;
}

UniqueFd open_folder(int root, const char* name) {
  if (::mkdirat(root, name, 0700) < 0 && errno != EEXIST) throw_errno("mkdir", name);
  UniqueFd fd(::openat(root, name, kFolder | O_NOFOLLOW));
  if (!fd) throw_errno("open", name);
  return fd;
}

}  // namespace

FileRoot::FileRoot(const std::filesystem::path& folder, Store& a_store, Audit& an_audit, FileOptions some_options)
    : path(std::filesystem::absolute(folder)),
      root(open_root(path)),
      homes(open_folder(root.get(), "homes")),
      store(a_store),
      audit(an_audit),
      options(some_options),
      staging(open_folder(root.get(), "staging").get(), options.keep_partial, options.partials_per_user) {
  staging.clean_up(slots);
}

void FileRoot::record(const Session& session, std::string_view action, std::string_view object,
                      std::string_view result) const noexcept {
  audit.record_change(session.user, session.source, action, object, result);
}

void FileRoot::record_refusal(const Session& session, std::string_view action, std::string_view object,
                              ErrorCode code) const noexcept {
  audit.record_refusal(session.user, session.source, action, object, code, to_string(code));
}

std::optional<FileHash> FileRoot::known_hash(const struct stat& status, HashAlgorithm algorithm) const noexcept {
  try {
    if (auto value = store.find_hash(version_of(status), to_string(algorithm))) {
      return FileHash{algorithm, std::move(*value)};
    }
  } catch (const std::exception& error) {
    log_line(LogLevel::warning, error.what());
  }
  return std::nullopt;
}

void FileRoot::remember(const struct stat& status, const FileHash& hash) const noexcept {
  try {
    store.remember_hash(version_of(status), to_string(hash.algorithm), hash.value);
  } catch (const std::exception& error) {
    log_line(LogLevel::warning, error.what());
  }
}

void FileRoot::remember_read(const struct stat& status, const FileHash& hash) const noexcept {
  constexpr std::int64_t kGrain = 100'000'000;
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  if (nanoseconds_of(now) - nanoseconds_of(status.st_ctim) > kGrain) remember(status, hash);
}

std::optional<struct stat> status_if_unchanged(int file, const struct stat& before, const std::optional<FileHash>& hash,
                                               std::string_view shown, const std::stop_token& stop) {
  const struct stat now = status_of(file, shown);
  if (now.st_nlink == 0 || !same_content(now, before)) return std::nullopt;
  if (!hash || version_of(now) == version_of(before)) return now;
  Hasher hasher(hash->algorithm);
  hash_file(file, static_cast<std::uint64_t>(now.st_size), hasher, shown, stop);
  if (hasher.finish() != *hash || !same_content(status_of(file, shown), before)) return std::nullopt;
  return now;
}

void hash_file(int file, std::uint64_t length, Hasher& hasher, std::string_view shown, const std::stop_token& stop) {
  constexpr std::uint64_t kPiece = 256 * 1024;  // stays in the processor's cache between reading and hashing
  const auto piece = std::make_unique_for_overwrite<std::byte[]>(std::min(kPiece, length));
  for (std::uint64_t at = 0; at < length;) {
    if (stop.stop_requested()) throw Cancelled("hashing: cancelled");
    const ssize_t got = ::pread(file, piece.get(), std::min(kPiece, length - at), static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_file_error(shown);
    if (got == 0) throw ServiceError(ErrorCode::conflict, fmt::format("the file became shorter: {}", shown));
    hasher.update(std::span(piece.get(), static_cast<std::size_t>(got)));
    at += static_cast<std::uint64_t>(got);
  }
}

}  // namespace hawser::hub
