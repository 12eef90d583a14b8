#include <hawser/net/unix_path.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <hawser/base/fork.h>
#include <hawser/base/system_calls.h>
#include <hawser/fiber/run.h>

namespace hawser::detail {
namespace {

constexpr int kTurns = 200;

// The lock on the path's directory; none where that may not be opened or its file system has no locks. Starting a
// server is over in a moment, so one that holds it longer than a second is somebody else's lock, and then the probe
// alone must do.
UniqueFd lock_directory(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  UniqueFd fd(sys::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (int turn = 0; fd && turn < kTurns; ++turn) {
    if (sys::flock(fd.get(), LOCK_EX | LOCK_NB) == 0 || (errno != EWOULDBLOCK && errno != EINTR)) break;
    sleep(std::chrono::milliseconds(5));
  }
  return fd;
}

// Whether the path is a socket that nobody has any more. One that is bound and does not listen yet refuses its own kind
// just as if it were gone, but tells others that they are of the wrong kind; and datagram sockets never listen. So a
// datagram socket can tell, and no server sees a connection.
bool is_stale(const Address& address, const std::string& path) {
  struct stat about {};
  if (::lstat(path.c_str(), &about) < 0) return errno == ENOENT;
  if (!S_ISSOCK(about.st_mode)) return false;
  const UniqueFd probe(sys::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  return probe && sys::connect(probe.get(), address.data(), address.size()) < 0 && errno == ECONNREFUSED;
}

}  // namespace

UnixPath UnixPath::listen(Socket& socket, const Address& address, mode_t mode, int backlog) {
  return open(socket, address, mode, backlog);
}

UnixPath UnixPath::bind(Socket& socket, const Address& address, mode_t mode) {
  return open(socket, address, mode, std::nullopt);
}

UnixPath UnixPath::open(Socket& socket, const Address& address, mode_t mode, std::optional<int> backlog) {
  UnixPath owned;
  const std::string path = address.path();
  if (address.is_abstract()) {
    socket.bind(address);
    if (backlog) socket.listen(*backlog);
    return owned;
  }
  const UniqueFd lock = lock_directory(path);
  // The file is made with these bits less the umask's: it is never open wider than asked, not even for a moment.
  if (mode && ::fchmod(socket.fileno(), mode) < 0) throw_errno("fchmod", address.str());
  try {
    socket.bind(address);
  } catch (const SystemError& error) {
    if (error.error_number() != EADDRINUSE || !is_stale(address, path)) throw;
    if (::unlink(path.c_str()) < 0 && errno != ENOENT) throw_errno("unlink", address.str());
    socket.bind(address);
  }
  struct stat about {};
  if (::lstat(path.c_str(), &about) < 0) throw_errno("stat", address.str());
  owned.path_ = path;
  owned.device_ = about.st_dev;
  owned.inode_ = about.st_ino;
  owned.made_in_ = fork_generation();
  owned.present_.store(true);
  try {
    if (mode && ::chmod(path.c_str(), mode) < 0) throw_errno("chmod", address.str());
    if (backlog) socket.listen(*backlog);
  } catch (...) {
    owned.remove();
    throw;
  }
  return owned;
}

void UnixPath::remove() noexcept {
  if (!present_.exchange(false) || made_in_ != fork_generation()) return;
  struct stat about {};
  if (::lstat(path_.c_str(), &about) == 0 && about.st_dev == device_ && about.st_ino == inode_) {
    ::unlink(path_.c_str());
  }
}

}  // namespace hawser::detail
