// UnixPath: the file that a listening UNIX socket puts into the file system, which outlives the socket unless somebody
// removes it (unix(7)). Internal; see listener.h.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include <hawser/net/address.h>
#include <hawser/net/socket.h>

namespace hawser::detail {

class UnixPath {
 public:
  UnixPath() = default;
  UnixPath(UnixPath&& other) noexcept { *this = std::move(other); }
  UnixPath& operator=(UnixPath&& other) noexcept {
    path_ = std::move(other.path_);
    present_.store(other.present_.exchange(false));
    device_ = other.device_;
    inode_ = other.inode_;
    made_in_ = other.made_in_;
    return *this;
  }

  // Binds the socket to the address and listens. A path whose owner is gone is taken over; one that a socket is bound
  // to, whether it listens or not, or that is no socket, is EADDRINUSE. Starters of two servers in one directory take
  // turns by flock(2), so neither takes the other's fresh path for a stale one. mode 0 leaves the permissions to the
  // umask. Throws SystemError.
  static UnixPath listen(Socket& socket, const Address& address, mode_t mode, int backlog);
  // The same without listening: for datagrams, and for a listener that is set going later.
  static UnixPath bind(Socket& socket, const Address& address, mode_t mode);

  // Removes the file that listen() made, and never one that has taken its place. Again, and in a forked child of the
  // process that made it: nothing. From any thread.
  void remove() noexcept;

 private:
  static UnixPath open(Socket& socket, const Address& address, mode_t mode, std::optional<int> backlog);

  std::string path_;
  std::atomic<bool> present_{false};  // there is something to remove
  dev_t device_ = 0;
  ino_t inode_ = 0;
  std::uint32_t made_in_ = 0;  // the fork_generation()
};

}  // namespace hawser::detail
