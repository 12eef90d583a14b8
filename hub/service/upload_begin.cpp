#include "hub/service/upload_begin.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

#include "hub/service/error.h"
#include "hub/service/file_errors.h"

namespace hawser::hub {
namespace {

constexpr auto kLargestFile = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

void check_request(const UploadRequest& request) {
  const Path& path = request.path;
  if (path.is_home()) throw ServiceError(ErrorCode::conflict, "is a directory: .");
  if (path.names_directory()) {
    throw ServiceError(ErrorCode::bad_request, fmt::format("a file's name must not end in '/': {}/", path.text()));
  }
  if (request.total > kLargestFile) throw ServiceError(ErrorCode::too_large, "larger than a file may be");
  if (request.offset > request.total) {
    throw ServiceError(ErrorCode::bad_request,
                       fmt::format("offset {} is beyond the total of {}", request.offset, request.total));
  }
  if (request.offset != 0 && !request.hash) {
    throw ServiceError(ErrorCode::conflict,
                       fmt::format("only an upload with the hash of the whole can be resumed: {}", path.text()));
  }
}

std::uint64_t size_of(const std::optional<struct stat>& there) noexcept {
  return there ? static_cast<std::uint64_t>(there->st_size) : 0;
}

// Returns what is in place now.
std::optional<struct stat> check_place(FileRoot& root, const Session& session, const UploadRequest& request,
                                       std::uint64_t staged, const std::string& staged_name) {
  const Home home = root.home_of(session);
  const Place place = home.place(request.path);
  Home::require_writable(place.directory.get(), request.path);
  const auto there = replaceable(place, request.path);
  if (session.quota_bytes) check_quota(root, session, home, request, size_of(there), staged_name);
  if (request.total > staged && request.total - staged > root.staging.free_bytes()) {
    throw_file_error(ENOSPC, request.path.text());
  }
  return there;
}

}  // namespace

std::unique_lock<std::mutex> lock_quota(FileRoot& root, const Session& session) {
  return session.quota_bytes ? root.home_use.lock(session.user) : std::unique_lock<std::mutex>();
}

void check_quota(FileRoot& root, const Session& session, const Home& home, const UploadRequest& request,
                 std::uint64_t replaces, const std::string& staged_name) {
  const std::uint64_t quota = *session.quota_bytes;
  auto under_way = root.slots.reserved_by(session.user);
  under_way[staged_name] = 0;
  std::uint64_t others = root.staging.bytes_of(session.user, under_way);
  for (const auto& [name, reserved] : under_way) others += reserved;
  const auto fits = [&](std::uint64_t in_home) {
    const std::uint64_t rest = in_home - std::min(in_home, replaces) + others;
    return rest <= quota && request.total <= quota - rest;
  };
  if (fits(root.home_use.bytes_of(session.user, home, false))) return;
  const std::uint64_t in_home = root.home_use.bytes_of(session.user, home, true);
  if (fits(in_home)) return;
  throw ServiceError(ErrorCode::quota_exceeded,
                     fmt::format("{} bytes would be more than the quota of {} ({} in use): {}", request.total, quota,
                                 in_home + others, request.path.text()));
}

std::optional<struct stat> replaceable(const Place& place, const Path& path) {
  struct stat status {};
  if (!status_of(place, path.text(), status)) return std::nullopt;
  if (S_ISDIR(status.st_mode)) throw_file_error(EISDIR, path.text());
  if (!S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode)) {
    throw ServiceError(ErrorCode::forbidden, fmt::format("not a regular file: {}", path.text()));
  }
  return status;
}

bool is_in_place(const FileRoot& root, const UploadRequest& request, const std::optional<struct stat>& there) noexcept {
  return request.hash && there && S_ISREG(there->st_mode) && there->st_size == static_cast<off_t>(request.total) &&
         root.known_hash(*there, request.hash->algorithm) == request.hash;
}

std::uint64_t staged_offset(FileRoot& root, const Session& session, const UploadRequest& request) {
  check_request(request);
  std::uint64_t staged = 0;
  std::string key;
  if (request.hash) {
    key = upload_key(request.path, request.total, *request.hash);
    staged = root.staging.size_of(session.user, key);
  }
  const auto quota = lock_quota(root, session);
  const auto there = check_place(root, session, request, staged, key);
  if (staged == 0 && is_in_place(root, request, there)) return request.total;
  return staged <= request.total ? staged : 0;
}

std::unique_ptr<Upload::Parts> begin(FileRoot& root, const Session& session, const UploadRequest& request,
                                     const std::stop_token& stop) {
  check_request(request);
  const HashAlgorithm algorithm = request.hash ? request.hash->algorithm : HashAlgorithm::xxh3_128;
  auto parts = std::unique_ptr<Upload::Parts>(new Upload::Parts{.root = root,
                                                                .session = session,
                                                                .request = request,
                                                                .slot = nullptr,
                                                                .staged = {},
                                                                .hasher = Hasher(algorithm)});
  Upload::Parts& p = *parts;
  const std::string key =
      request.hash ? upload_key(request.path, request.total, *request.hash) : root.staging.once_name();
  auto quota = lock_quota(root, session);
  const auto there = check_place(root, session, request, request.offset, key);
  p.replaces = size_of(there);
  if (p.resumable() && request.offset == request.total && is_in_place(root, request, there) &&
      root.staging.size_of(session.user, key) == 0) {
    p.offset = request.offset;
    p.in_place = true;
    return parts;
  }
  UploadClaim claim = root.slots.claim(fmt::format("{}/{}", session.user, key), request.total);
  if (quota) quota.unlock();
  p.slot = std::move(claim).take();
  if (!p.resumable()) {
    p.staged = root.staging.make(session.user, key, root.slots);
    return parts;
  }
  const auto hold = p.slot->use();
  auto kept = root.staging.find(session.user, key);
  if (const std::uint64_t here = kept ? kept->size : 0; request.offset > here) {
    throw ServiceError(ErrorCode::conflict, fmt::format("only {} bytes of this upload are here, not {}: {}", here,
                                                        request.offset, request.path.text()));
  }
  p.staged = kept ? std::move(*kept) : root.staging.make(session.user, key, root.slots);
  if (request.offset < p.staged.size && ::ftruncate(p.staged.file.get(), static_cast<off_t>(request.offset)) < 0) {
    throw_file_error(request.path.text());
  }
  hash_file(p.staged.file.get(), request.offset, p.hasher, request.path.text(), stop);
  p.offset = request.offset;
  return parts;
}

}  // namespace hawser::hub
