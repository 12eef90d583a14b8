// TreeWalk: everything below a directory, entry by entry, by descriptors alone: links are reported and never followed,
// and no other file system is entered. Memory is bounded by the depth; of the directories on the way, kOpenLevels are
// open at most, the others are opened again on the way back.
//
// A directory comes before its contents, and (when leaving is wanted) once more after them. What vanishes meanwhile, or
// may not be read, is passed over; the latter is counted. Throws ServiceError(conflict) below Path::kMaxParts levels,
// and when a directory on the way back was moved elsewhere. One thread at a time.
#pragma once

#include <dirent.h>
#include <sys/stat.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include <hawser/base/fd.h>

namespace hawser::hub {

class TreeWalk {
 public:
  static constexpr std::size_t kOpenLevels = 8;
  struct Options {
    bool recursive = true;
    bool leaving = false;  // for whoever removes each thing that it gets, a directory the second time
  };
  struct Step {
    int directory = -1;  // what the name is in; open until the next step
    std::string name;    // as it is on disk
    std::string below;   // the way from the start to `directory`, with a '/' at its end unless empty
    struct stat status {};
    bool leaving = false;  // the second time: its contents have been walked
  };

  // `shown` stands in messages.
  TreeWalk(UniqueFd start, std::string shown, Options options);
  TreeWalk(const TreeWalk&) = delete;
  TreeWalk& operator=(const TreeWalk&) = delete;

  // False at the end.
  bool next(Step& step);
  [[nodiscard]] std::size_t unreadable() const noexcept { return unreadable_; }

 private:
  struct Close {
    void operator()(DIR* dir) const noexcept { ::closedir(dir); }
  };
  struct Level {
    std::unique_ptr<DIR, Close> dir;  // null: closed for now
    std::string below;
    std::string name;  // of this directory in the level above
    struct stat status {};
    long position = 0;  // where to read on when it is opened again
  };
  void push(UniqueFd fd, Level level);
  bool enter_pending();
  // The last level becomes the one above it, which is open again then.
  Level pop();

  std::string shown_;
  Options options_;
  dev_t device_;
  std::vector<Level> levels_;
  bool pending_ = false;  // pending_level_ is a directory to go into at the next step
  Level pending_level_;
  std::size_t unreadable_ = 0;
};

}  // namespace hawser::hub
