// TreeWalk: everything below a directory, entry by entry, by descriptors alone: links are reported and never followed,
// and no other file system is entered. Memory and descriptors are bounded by the depth.
//
// A directory comes before its contents, and (when leaving is wanted) once more after them. What vanishes meanwhile, or
// may not be read, is passed over; the latter is counted. Throws ServiceError(conflict) below Path::kMaxParts levels.
// One thread at a time.
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
  struct Options {
    bool recursive = true;
    bool leaving = false;
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
    std::unique_ptr<DIR, Close> dir;
    std::string below;
    std::string name;  // of this directory in the level above
    struct stat status {};
  };
  void push(UniqueFd fd, Level level);
  bool enter_pending();

  std::string shown_;
  Options options_;
  dev_t device_;
  std::vector<Level> levels_;
  bool pending_ = false;  // pending_level_ is a directory to go into at the next step
  Level pending_level_;
  std::size_t unreadable_ = 0;
};

}  // namespace hawser::hub
