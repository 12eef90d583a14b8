#include "hub/service/download.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "hub/service/download_begin.h"
#include "hub/service/error.h"
#include "hub/service/file_version.h"

namespace hawser::hub {
std::unique_ptr<Download::Parts> begin(FileRoot& root, const Session& session, const DownloadRequest& request) {
  auto parts = std::unique_ptr<Download::Parts>(new Download::Parts{.root = root, .request = request});
  Download::Parts& p = *parts;
  p.file = root.home_of(session).regular_file(request.path, p.status);
  const auto total = static_cast<std::uint64_t>(p.status.st_size);
  if (request.offset > total) {
    throw ServiceError(ErrorCode::bad_request, fmt::format("offset {} is beyond the end, which is at {}: {}",
                                                           request.offset, total, request.path.text()));
  }
  p.size = std::min(request.length.value_or(total), total - request.offset);
  if (!request.hash) return parts;
  p.hash = root.known_hash(p.status, *request.hash);
  if (!p.hash && request.offset == 0 && p.size == total) p.streamed.emplace(*request.hash);
  return parts;
}

Download::Download(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Download::Download(Download&&) noexcept = default;
Download& Download::operator=(Download&&) noexcept = default;
Download::~Download() = default;

int Download::fd() const noexcept { return parts_->file.get(); }
std::uint64_t Download::offset() const noexcept { return parts_->request.offset; }
std::uint64_t Download::size() const noexcept { return parts_->size; }
std::uint64_t Download::total() const noexcept { return static_cast<std::uint64_t>(parts_->status.st_size); }
std::int64_t Download::mtime_ns() const noexcept { return nanoseconds_of(parts_->status.st_mtim); }
std::uint32_t Download::mode() const noexcept { return parts_->status.st_mode & 07777U; }
bool Download::hash_missing() const noexcept { return parts_->request.hash && !parts_->hash; }

void Download::update(std::span<const std::byte> sent) {
  if (!parts_->streamed) return;
  parts_->streamed->update(sent);
  parts_->streamed_bytes += sent.size();
}

void Download::hash_now(const std::stop_token& stop) {
  if (!hash_missing()) return;
  Hasher hasher(*parts_->request.hash);
  hash_file(parts_->file.get(), total(), hasher, parts_->request.path.text(), stop);
  parts_->hash = hasher.finish();
}

std::optional<FileHash> Download::finish(const std::stop_token& stop) {
  Parts& p = *parts_;
  if (hash_missing()) {
    if (p.streamed && p.streamed_bytes == total()) {
      p.hash = p.streamed->finish();
    } else {
      hash_now(stop);
    }
  }
  const std::string& shown = p.request.path.text();
  const auto now = status_if_unchanged(p.file.get(), p.status, p.hash, shown, stop);
  if (!now) {
    throw ServiceError(ErrorCode::conflict, fmt::format("the file changed while it was being sent: {}", shown));
  }
  if (p.hash) p.root.remember_read(*now, *p.hash);
  return p.hash;
}

}  // namespace hawser::hub
