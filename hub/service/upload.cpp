#include "hub/service/upload.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <optional>
#include <utility>

#include "hub/service/error.h"
#include "hub/service/file_errors.h"
#include "hub/service/file_version.h"
#include "hub/service/upload_begin.h"

namespace hawser::hub {
namespace {

constexpr std::size_t kPiece = 256 * 1024;  // still in the processor's cache when it is hashed
constexpr std::uint32_t kDefaultMode = 0644;
constexpr std::uint32_t kAllowedMode = 0777;

void write_at(int file, std::span<const std::byte> bytes, std::uint64_t offset, std::string_view shown) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw_file_error(shown);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
}

void require_open(const Upload::Parts& parts) {
  if (parts.ended) throw ServiceError(ErrorCode::conflict, "this upload has ended");
}

// Mode, time and the disk. The file as it was before the disk was waited for: what is written from then on shows.
struct stat settle(int file, std::string_view shown, std::uint32_t mode, const std::optional<timespec>& mtime) {
  if (::fchmod(file, mode & kAllowedMode) < 0) throw_file_error(shown);
  if (mtime) {
    const std::array<timespec, 2> times{*mtime, *mtime};
    if (::futimens(file, times.data()) < 0) throw_file_error(shown);
  }
  const struct stat status = status_of(file, shown);
  if (::fsync(file) < 0) throw_file_error(shown);
  return status;
}

std::optional<timespec> mtime_of(const UploadRequest& request) {
  return request.mtime_ns ? std::optional(to_timespec(*request.mtime_ns)) : std::nullopt;
}

// To the nanosecond, which writing does not give a file: its clock advances by some milliseconds at a time, and one
// more write within them would not show.
timespec now_to_the_nanosecond() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return now;
}

FileHash commit_in_place(Upload::Parts& parts) {
  const UploadRequest& request = parts.request;
  const Path& path = request.path;
  const Place place = parts.root.home_of(parts.session).place(path);
  const UniqueFd file(
      ::openat(place.directory.get(), place.name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file) throw_file_error(path.text());
  const struct stat status = status_of(file.get(), path.text());
  const auto require_same = [&](bool same) {
    if (!same) throw ServiceError(ErrorCode::conflict, fmt::format("the file changed meanwhile: {}", path.text()));
  };
  require_same(is_in_place(parts.root, request, status));
  // The hash took a look at the store: once more, since an mtime of ours would hide what was written meanwhile.
  require_same(same_content(status_of(file.get(), path.text()), status));
  const struct stat hashed = settle(file.get(), path.text(), request.mode.value_or(status.st_mode), mtime_of(request));
  if (::fsync(place.directory.get()) < 0) throw_file_error(path.text());
  const struct stat now = status_of(file.get(), path.text());
  require_same(hashed.st_size == status.st_size && same_content(now, hashed));
  parts.ended = true;
  parts.root.remember(now, *request.hash);
  parts.root.record(parts.session, "put", path.text(), "ok, in place already");
  return *request.hash;
}

}  // namespace

void Upload::Parts::drop() noexcept {
  if (std::exchange(ended, true)) return;
  // Gives the space back now: this Upload, and with it the descriptor, may stay for a while.
  [[maybe_unused]] const int not_needed = ::ftruncate(staged.file.get(), 0);
  root.staging.drop(session.user, staged);
  slot->reserved = 0;
}

Upload::Upload(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Upload::Upload(Upload&&) noexcept = default;

Upload& Upload::operator=(Upload&& other) noexcept {
  if (this != &other) {
    Upload gone(std::move(*this));
    parts_ = std::move(other.parts_);
  }
  return *this;
}

Upload::~Upload() {
  if (parts_ && !parts_->ended && !parts_->resumable()) discard();
}

std::uint64_t Upload::offset() const noexcept { return parts_->offset; }
std::uint64_t Upload::left() const noexcept { return parts_->request.total - parts_->offset; }

void Upload::write(std::span<const std::byte> bytes) {
  Parts& p = *parts_;
  require_open(p);
  if (bytes.size() > left()) {
    throw ServiceError(ErrorCode::too_large, fmt::format("more than the {} bytes that were announced: {}",
                                                         p.request.total, p.request.path.text()));
  }
  if (bytes.empty()) return;
  const auto hold = p.slot->use();
  while (!bytes.empty()) {
    const auto piece = bytes.first(std::min(bytes.size(), kPiece));
    try {
      write_at(p.staged.file.get(), piece, p.offset, p.request.path.text());
    } catch (const ServiceError& error) {
      // Kept, it would be what fills the disk.
      if (error.code() == ErrorCode::no_space) p.drop();
      throw;
    }
    p.hasher.update(piece);
    p.offset += piece.size();
    bytes = bytes.subspan(piece.size());
  }
  if (p.resumable() && p.offset - p.synced >= p.root.options.sync_every_bytes) {
    if (::fdatasync(p.staged.file.get()) < 0) throw_file_error(p.request.path.text());
    p.root.staging.note_synced(p.staged, p.offset);
    p.synced = p.offset;
  }
}

FileHash Upload::commit() {
  Parts& p = *parts_;
  require_open(p);
  if (p.in_place) return commit_in_place(p);
  const Path& path = p.request.path;
  const auto hold = p.slot->use();
  if (left() != 0) {
    throw ServiceError(ErrorCode::conflict,
                       fmt::format("only {} of {} bytes have come: {}", p.offset, p.request.total, path.text()));
  }
  FileHash hash = p.hasher.finish();
  if (p.request.hash && *p.request.hash != hash) {
    p.drop();
    p.root.record_refusal(p.session, "put", path.text(), ErrorCode::hash_mismatch);
    throw ServiceError(ErrorCode::hash_mismatch,
                       fmt::format("the bytes that came have the {} {}, not {}: {}", to_string(hash.algorithm),
                                   hash.value, p.request.hash->value, path.text()));
  }
  const struct stat hashed = settle(p.staged.file.get(), path.text(), p.request.mode.value_or(kDefaultMode),
                                    mtime_of(p.request).value_or(now_to_the_nanosecond()));
  // Resolved again: the name must be right now, not when the upload began.
  const Home home = p.root.home_of(p.session);
  const Place place = home.place(path);
  {
    const auto quota = lock_quota(p.root, p.session);
    const auto there = replaceable(place, path);
    const std::uint64_t replaces = there ? static_cast<std::uint64_t>(there->st_size) : 0;
    // What was to be replaced is elsewhere by now, or smaller.
    if (quota && replaces < p.replaces) check_quota(p.root, p.session, home, p.request, replaces, p.staged.name);
    if (::renameat(p.staged.folder.get(), p.staged.name.c_str(), place.directory.get(), place.name.c_str()) < 0) {
      throw_file_error(path.text());
    }
    p.ended = true;
    p.slot->reserved = 0;
    p.root.home_use.replaced(p.session.user, replaces, p.request.total);
  }
  p.root.staging.moved(p.session.user, p.staged);
  if (::fsync(place.directory.get()) < 0) throw_file_error(path.text());
  // Under its name it is everybody's: who saw it appear may have written to it already.
  if (const struct stat now = status_of(p.staged.file.get(), path.text()); same_content(now, hashed)) {
    p.root.remember(now, hash);
  }
  p.root.record(p.session, "put", path.text());
  return hash;
}

void Upload::discard() noexcept {
  if (parts_->ended || parts_->in_place) return;
  if (const auto hold = parts_->slot->try_use()) parts_->drop();
}

}  // namespace hawser::hub
