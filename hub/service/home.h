// Home: one user's directory, and the only code that turns a Path into a descriptor.
//
// Every resolution is one openat2(2) below the home's descriptor with RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS |
// RESOLVE_NO_XDEV: the kernel itself refuses what would leave, whatever links are swapped meanwhile. Callers go on
// with the descriptor and single names, never with a longer path. Blocks on the disk; any thread. Throws ServiceError.
#pragma once

#include <sys/stat.h>

#include <string>

#include <hawser/base/fd.h>

#include "hub/service/path.h"

namespace hawser::hub {

// A directory and a name in it: what remove, move, mkdir and the end of a put work on. The name is never "", ".", ".."
// and has no '/'.
struct Place {
  UniqueFd directory;
  std::string name;
};

class Home {
 public:
  // Opens homes/<user>, making it (mode 0700) the first time. The user is a name that Accounts let through.
  static Home open(int homes, const std::string& user);

  // Follows links that stay inside. Flags as for open(2); close-on-exec is added.
  [[nodiscard]] UniqueFd resolve(const Path& path, int flags) const;
  [[nodiscard]] UniqueFd directory(const Path& path) const;
  // The directory that the path's last part is in, which need not exist. forbidden for the home itself.
  [[nodiscard]] Place place(const Path& path) const;
  // Opens for reading; never waits, whatever the path names. forbidden for what is not a regular file, which is not
  // opened. Needs /proc.
  [[nodiscard]] UniqueFd regular_file(const Path& path, struct stat& status) const;
  [[nodiscard]] struct stat status(const Path& path) const;
  // Throws if a new file or directory cannot be made in the directory that fd is.
  static void require_writable(int fd, const Path& shown);

 private:
  explicit Home(UniqueFd root) : root_(std::move(root)) {}
  UniqueFd root_;
};

// fstat and fstatat without following links. nothing: no such file.
[[nodiscard]] struct stat status_of(int fd, std::string_view shown);
[[nodiscard]] bool status_of(const Place& place, std::string_view shown, struct stat& status);

}  // namespace hawser::hub
