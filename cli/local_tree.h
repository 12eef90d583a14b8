// The local side of `put`: which files and folders are to be sent, and under which names.
//
// Blocks on the disk: run it inside offload(). Throws SystemError, Failure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace hawser::cli {

struct UploadJob {
  std::string local;
  std::string remote;
  std::uint64_t size = 0;  // when it was looked at; the file may have changed since
  std::int64_t mtime_ns = 0;
  bool follow = false;  // it was named by the user: a link is followed
};

struct UploadList {
  std::vector<std::string> folders;  // remote, a folder before what is in it
  std::vector<UploadJob> files;
  struct Skipped {
    std::string local;
    std::string why;
  };
  std::vector<Skipped> skipped;
};

// What a path names: nothing, a file, or a folder (links are followed). Throws Failure for special files.
enum class LocalKind : std::uint8_t { nothing, file, folder };
[[nodiscard]] LocalKind local_kind(const std::string& path);

// The name under which a path is sent when no other is given: its last part; that of the real folder for "." and "..".
[[nodiscard]] std::string local_name(const std::string& path);

// A single file.
void add_file(const std::string& local, const std::string& remote, UploadList& list);
// A folder and all below it. Links and special files in it are skipped, and files that cannot be read are left for the
// upload to complain about. Folders that cannot be read are skipped.
void add_tree(const std::string& local, const std::string& remote, UploadList& list);

}  // namespace hawser::cli
