#include <cerrno>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include <hawser/base/errors.h>

#include "cli/failure.h"
#include "cli/landing.h"

namespace hawser::cli {
namespace {

constexpr std::size_t kLongestNote = 16 * 1024;

std::string read_note(int folder, const std::string& name) {
  const UniqueFd fd(::openat(folder, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!fd) return {};
  std::string text(kLongestNote, '\0');
  const ssize_t got = ::read(fd.get(), text.data(), text.size());
  text.resize(static_cast<std::size_t>(got > 0 ? got : 0));
  return text;
}

// The note is there, whole and synced, before the first byte that it speaks of.
void write_note(int folder, const std::string& name, const std::string& text) {
  ::unlinkat(folder, name.c_str(), 0);
  const UniqueFd fd(::openat(folder, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) throw_errno("create", name);
  if (::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) throw_errno("write", name);
  if (::fsync(fd.get()) != 0) throw_errno("fsync", name);
}

}  // namespace

PartFile::PartFile(const Landing& landing, const std::string& path, const std::string& source, bool resume) {
  const auto slash = path.rfind('/');
  folder_ = landing.open_folder(slash == std::string::npos ? "" : path.substr(0, slash));
  name_ = slash == std::string::npos ? path : path.substr(slash + 1);
  const std::string part = part_name(name_), note = part_note_name(name_);

  fd_.reset(::openat(folder_.get(), part.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600));
  if (!fd_) throw_errno("create", path);
  struct stat status {};
  if (::fstat(fd_.get(), &status) != 0) throw_errno("stat", part);
  if (!S_ISREG(status.st_mode)) throw local_failure(fmt::format("{} is in the way", part));
  if (::flock(fd_.get(), LOCK_EX | LOCK_NB) != 0) {
    settled_ = true;  // not ours to remove
    throw local_failure("another process is fetching this file to the same place");
  }
  if (resume && status.st_size > 0 && read_note(folder_.get(), note) == source) {
    size_ = static_cast<std::uint64_t>(status.st_size);
    return;
  }
  clear();
  write_note(folder_.get(), note, source);
}

PartFile::~PartFile() {
  if (!settled_ && size_ == 0) remove();
}

void PartFile::remove() noexcept {
  ::unlinkat(folder_.get(), part_note_name(name_).c_str(), 0);
  ::unlinkat(folder_.get(), part_name(name_).c_str(), 0);
}

void PartFile::write(BytesView data) {
  while (!data.empty()) {
    const ssize_t written = ::pwrite(fd_.get(), data.data(), data.size(), static_cast<off_t>(size_));
    if (written < 0 && errno != EINTR) throw_errno("write", name_);
    if (written <= 0) continue;
    size_ += static_cast<std::uint64_t>(written);
    data = data.from(static_cast<std::size_t>(written));
  }
}

std::size_t PartFile::read(std::span<std::byte> into, std::uint64_t offset) const {
  const ssize_t got = ::pread(fd_.get(), into.data(), into.size(), static_cast<off_t>(offset));
  if (got < 0) throw_errno("read", name_);
  return static_cast<std::size_t>(got);
}

void PartFile::clear() {
  if (::ftruncate(fd_.get(), 0) != 0) throw_errno("truncate", name_);
  size_ = 0;
}

void PartFile::settle(std::uint32_t mode, std::int64_t mtime_ns) {
  settle_file(folder_.get(), fd_.get(), part_name(name_), name_, mode, mtime_ns);
  settled_ = true;
  ::unlinkat(folder_.get(), part_note_name(name_).c_str(), 0);
  sync_folder(folder_.get());
}

}  // namespace hawser::cli
