// Landing: the local folder that `get` writes into. What comes from a hub is not trusted: no name leads out of the
// folder, neither by ".." nor through a link that lies in it, and nothing appears under its name before it is whole.
//
// All calls block on the disk: run them inside offload(). Throw SystemError and Failure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <hawser/base/bytes.h>
#include <hawser/base/fd.h>

namespace hawser::cli {

// Throws Failure for a path that no hub should have given: absolute, "..", control characters, not UTF-8.
void check_landing_path(const std::string& path);

struct LandingState {
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
  bool is_file = false;
};

class Landing {
 public:
  // top must be there.
  explicit Landing(const std::string& top);

  // A folder below, made with those above it when it is missing; "" is top. Throws Failure when something in the way is
  // no folder or leads outside.
  [[nodiscard]] UniqueFd open_folder(const std::string& path) const;
  // What lies there; nothing when there is nothing. Does not follow links.
  [[nodiscard]] std::optional<LandingState> look(const std::string& path) const;

 private:
  std::string name_;
  UniqueFd top_;
};

// The names under which NAME is gathered before it is whole: ".NAME.hawser-part" where that is not too long.
[[nodiscard]] std::string part_name(const std::string& name);
// Beside it: what it is a part of.
[[nodiscard]] std::string part_note_name(const std::string& name);

// Sets mode and time, syncs, and puts the file under its name, replacing what is there.
void settle_file(int folder, int fd, const std::string& temporary, const std::string& name, std::uint32_t mode,
                 std::int64_t mtime_ns);
// Writes a small file whole, in the same way.
void land_file(int folder, const std::string& name, BytesView content, std::uint32_t mode, std::int64_t mtime_ns);
// Makes the names in a folder last.
void sync_folder(int folder);

// A file that arrives in pieces and outlives us when we are stopped. One process at a time may gather a file.
class PartFile {
 public:
  // `source` describes exactly what is fetched. When a part of the same source lies there, it is kept and size() says
  // how much that is; otherwise, or when not `resume`, it begins empty. Throws Failure when another process is at it.
  PartFile(const Landing& landing, const std::string& path, const std::string& source, bool resume);
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;
  // Keeps what is there, unless that is nothing.
  ~PartFile();

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }
  // Appends.
  void write(BytesView data);
  // Reads back what is there.
  [[nodiscard]] std::size_t read(std::span<std::byte> into, std::uint64_t offset) const;
  // Begins anew.
  void clear();
  // It is whole and verified: puts it under its name.
  void settle(std::uint32_t mode, std::int64_t mtime_ns);

 private:
  void remove() noexcept;
  UniqueFd folder_;
  std::string name_;
  UniqueFd fd_;
  std::uint64_t size_ = 0;
  bool settled_ = false;
};

}  // namespace hawser::cli
