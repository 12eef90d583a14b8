// OpenEntrance: a socket at which a server of this process takes requests in, known by its number. A forking server's
// child closes them all: the port of another server must not stay taken because that child lives on. Internal.
#pragma once

namespace hawser::detail {

class OpenEntrance {
 public:
  // For as long as the descriptor is open; -1 for none. Throws std::bad_alloc.
  explicit OpenEntrance(int fd);
  OpenEntrance(OpenEntrance&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  OpenEntrance& operator=(OpenEntrance&& other) noexcept;
  ~OpenEntrance() { forget(); }

  // Before the descriptor is closed. Any thread, several at once; idempotent.
  void forget() noexcept;

 private:
  int fd_;
};

// In a child that has just been forked: closes those that the parent had open.
void close_open_entrances() noexcept;

}  // namespace hawser::detail
