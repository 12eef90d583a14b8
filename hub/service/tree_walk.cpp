#include "hub/service/tree_walk.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>
#include <string_view>
#include <utility>

#include "hub/service/error.h"
#include "hub/service/file_errors.h"
#include "hub/service/home.h"
#include "hub/service/path.h"

namespace hawser::hub {
namespace {

bool is_dots(std::string_view name) { return name == "." || name == ".."; }

// What somebody else removed or moved while we walked.
bool has_vanished(int error_number) {
  return error_number == ENOENT || error_number == ENOTDIR || error_number == ELOOP;
}

}  // namespace

TreeWalk::TreeWalk(UniqueFd start, std::string shown, Options options) : shown_(std::move(shown)), options_(options) {
  device_ = status_of(start.get(), shown_).st_dev;
  push(std::move(start), {});
}

void TreeWalk::push(UniqueFd fd, Level level) {
  level.status = status_of(fd.get(), shown_);
  level.dir.reset(::fdopendir(fd.get()));
  if (!level.dir) throw_file_error(shown_);
  static_cast<void>(fd.release());
  levels_.push_back(std::move(level));
  if (levels_.size() <= kOpenLevels) return;
  Level& closing = levels_[levels_.size() - 1 - kOpenLevels];
  closing.position = ::telldir(closing.dir.get());
  closing.dir.reset();
}

TreeWalk::Level TreeWalk::pop() {
  Level done = std::move(levels_.back());
  levels_.pop_back();
  if (levels_.empty() || levels_.back().dir) return done;
  Level& above = levels_.back();
  // Where "..", which may lead out of the home by now, is still the directory that we came from.
  UniqueFd fd(::openat(::dirfd(done.dir.get()), "..", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!fd) throw_file_error(shown_);
  const struct stat status = status_of(fd.get(), shown_);
  if (status.st_dev != above.status.st_dev || status.st_ino != above.status.st_ino) {
    throw ServiceError(ErrorCode::conflict, fmt::format("a directory was moved away meanwhile: {}", shown_));
  }
  above.dir.reset(::fdopendir(fd.get()));
  if (!above.dir) throw_file_error(shown_);
  static_cast<void>(fd.release());
  // Where things are being removed a place in the directory may mean another one by now; what is left is all new.
  if (!options_.leaving) ::seekdir(above.dir.get(), above.position);
  return done;
}

bool TreeWalk::enter_pending() {
  pending_ = false;
  if (levels_.size() > Path::kMaxParts) {
    throw ServiceError(ErrorCode::conflict, fmt::format("more than {} levels deep: {}", Path::kMaxParts, shown_));
  }
  const int above = ::dirfd(levels_.back().dir.get());
  UniqueFd fd(
      ::openat(above, pending_level_.name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!fd) {
    if (has_vanished(errno)) return false;
    if (errno != EACCES) throw_file_error(shown_);
    ++unreadable_;
    return false;
  }
  if (status_of(fd.get(), shown_).st_dev != device_) return false;
  push(std::move(fd), std::move(pending_level_));
  return true;
}

bool TreeWalk::next(Step& step) {
  if (pending_ && !enter_pending() && options_.leaving) {
    step = {.directory = ::dirfd(levels_.back().dir.get()),
            .name = std::move(pending_level_.name),
            .below = levels_.back().below,
            .status = pending_level_.status,
            .leaving = true};
    return true;
  }
  while (!levels_.empty()) {
    Level& level = levels_.back();
    const int directory = ::dirfd(level.dir.get());
    errno = 0;
    const dirent* found = ::readdir(level.dir.get());
    if (found == nullptr) {
      if (errno != 0 && !has_vanished(errno)) throw_file_error(shown_);
      Level done = pop();
      if (levels_.empty()) return false;
      if (!options_.leaving) continue;
      step = {.directory = ::dirfd(levels_.back().dir.get()),
              .name = std::move(done.name),
              .below = levels_.back().below,
              .status = done.status,
              .leaving = true};
      return true;
    }
    if (is_dots(found->d_name)) continue;
    struct stat status {};
    if (::fstatat(directory, found->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0) {
      if (has_vanished(errno)) continue;
      throw_file_error(shown_);
    }
    step = {.directory = directory, .name = found->d_name, .below = level.below, .status = status, .leaving = false};
    if (S_ISDIR(status.st_mode) && options_.recursive) {
      pending_ = true;
      pending_level_ = {.dir = nullptr, .below = step.below + step.name + '/', .name = step.name, .status = status};
    }
    return true;
  }
  return false;
}

}  // namespace hawser::hub
