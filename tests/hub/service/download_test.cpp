#include "hub/service/download.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include <hawser/base/errors.h>

#include "hub/service/file_version.h"
#include "temporary_root.h"

namespace hawser::hub {
namespace {

class DownloadTest : public TemporaryRoot {
 protected:
  Download begin(DownloadRequest request) { return files_->begin_download(anna_, request); }
  // What a door would send.
  static std::string read_all(const Download& download) {
    std::string bytes(download.size(), '\0');
    const auto got = ::pread(download.fd(), bytes.data(), bytes.size(), static_cast<off_t>(download.offset()));
    EXPECT_EQ(got, static_cast<ssize_t>(bytes.size()));
    return bytes;
  }
  [[nodiscard]] std::int64_t ctime_of(const char* name) const {
    struct stat status {};
    EXPECT_EQ(::stat((home() / name).c_str(), &status), 0);
    return nanoseconds_of(status.st_ctim);
  }
};

TEST_F(DownloadTest, tells_what_will_come_and_the_hash_of_the_whole) {
  const FileHash hash = put("a", "hello world");
  Download download = begin({.path = path("a"), .hash = HashAlgorithm::xxh3_128});
  EXPECT_EQ(download.size(), 11U);
  EXPECT_EQ(download.total(), 11U);
  EXPECT_EQ(download.mode(), 0644U);
  EXPECT_GT(download.mtime_ns(), 0);
  EXPECT_FALSE(download.hash_missing());
  EXPECT_EQ(read_all(download), "hello world");
  EXPECT_EQ(download.finish(), hash);
}

TEST_F(DownloadTest, gives_any_part_and_no_more_than_there_is) {
  put("a", "hello world");
  EXPECT_EQ(read_all(begin({.path = path("a"), .offset = 6})), "world");
  EXPECT_EQ(read_all(begin({.path = path("a"), .offset = 6, .length = 2})), "wo");
  EXPECT_EQ(read_all(begin({.path = path("a"), .offset = 6, .length = ~0ULL})), "world");
  EXPECT_EQ(begin({.path = path("a"), .offset = 11}).size(), 0U);
  EXPECT_EQ(code_of([&] { begin({.path = path("a"), .offset = 12}); }), ErrorCode::bad_request);
}

TEST_F(DownloadTest, the_hash_is_of_the_whole_file_however_it_is_had) {
  put("a", "hello world");
  const FileHash whole = hash_of("hello world", HashAlgorithm::sha256);
  Download streamed = begin({.path = path("a"), .hash = HashAlgorithm::sha256});
  EXPECT_TRUE(streamed.hash_missing());
  streamed.update(as_span("hello "));
  streamed.update(as_span("world"));
  EXPECT_EQ(streamed.finish(), whole);
  Download half_streamed = begin({.path = path("a"), .hash = HashAlgorithm::sha256});
  half_streamed.update(as_span("hello "));
  EXPECT_EQ(half_streamed.finish(), whole);
  Download part = begin({.path = path("a"), .offset = 6, .hash = HashAlgorithm::sha256});
  part.update(as_span("world"));
  EXPECT_EQ(part.finish(), whole);
  Download beside = begin({.path = path("a"), .hash = HashAlgorithm::sha256});
  std::thread([&] { beside.hash_now(); }).join();
  EXPECT_EQ(beside.finish(), whole);
  Download none = begin({.path = path("a")});
  EXPECT_EQ(none.finish(), std::nullopt);
}

TEST_F(DownloadTest, a_file_that_changes_while_it_is_sent_gets_no_hash) {
  put("a", "hello world");
  Download longer = begin({.path = path("a"), .hash = HashAlgorithm::xxh3_128});
  write_whole(home() / "a", "hello world, and more");
  EXPECT_EQ(code_of([&] { static_cast<void>(longer.finish()); }), ErrorCode::conflict);
  Download same_size = begin({.path = path("a")});
  write_whole(home() / "a", "HELLO world, and more");
  EXPECT_EQ(code_of([&] { static_cast<void>(same_size.finish()); }), ErrorCode::conflict);
  Download shorter = begin({.path = path("a"), .hash = HashAlgorithm::md5});
  std::filesystem::resize_file(home() / "a", 3);
  EXPECT_EQ(code_of([&] { static_cast<void>(shorter.finish()); }), ErrorCode::conflict);
}

TEST_F(DownloadTest, a_file_that_is_replaced_meanwhile_is_sent_as_it_was) {
  put("a", "old content");
  Download download = begin({.path = path("a")});
  put("a", "new");
  EXPECT_EQ(read_all(download), "old content");
  // Its name went away, which is a change of its ctime: the client learns that what it has is no longer there.
  EXPECT_EQ(code_of([&] { static_cast<void>(download.finish()); }), ErrorCode::conflict);
}

TEST_F(DownloadTest, a_file_that_is_moved_meanwhile_has_not_changed) {
  const FileHash hash = put("a", "hello world");
  Download known = begin({.path = path("a"), .hash = HashAlgorithm::xxh3_128});
  Download streamed = begin({.path = path("a"), .hash = HashAlgorithm::sha256});
  Download part = begin({.path = path("a"), .offset = 6, .hash = HashAlgorithm::md5});
  Download unhashed = begin({.path = path("a")});
  files_->move(anna_, path("a"), path("b"));
  std::filesystem::permissions(home() / "b", std::filesystem::perms::owner_read);
  EXPECT_EQ(read_all(known), "hello world");
  EXPECT_EQ(known.finish(), hash);
  streamed.update(as_span("hello world"));
  EXPECT_EQ(streamed.finish(), hash_of("hello world", HashAlgorithm::sha256));
  EXPECT_EQ(part.finish(), hash_of("hello world", HashAlgorithm::md5));
  EXPECT_EQ(unhashed.finish(), std::nullopt);
}

TEST_F(DownloadTest, a_change_shows_though_the_file_is_moved_and_its_time_put_back) {
  put("a", "hello world");
  const auto mtime = std::filesystem::last_write_time(home() / "a");
  const auto change_and_move = [&](const char* content, bool put_time_back) {
    const std::int64_t before = ctime_of("a");
    write_whole(home() / "a", content);
    if (put_time_back) std::filesystem::last_write_time(home() / "a", mtime);
    do {  // until the file system's clock has moved on
      files_->move(anna_, path("a"), path("b"));
      files_->move(anna_, path("b"), path("a"));
    } while (ctime_of("a") == before);
  };
  Download known = begin({.path = path("a"), .hash = HashAlgorithm::xxh3_128});
  Download streamed = begin({.path = path("a"), .hash = HashAlgorithm::sha256});
  streamed.update(as_span("hello world"));
  Download unhashed = begin({.path = path("a")});
  change_and_move("HELLO world", true);
  EXPECT_EQ(code_of([&] { static_cast<void>(known.finish()); }), ErrorCode::conflict);
  EXPECT_EQ(code_of([&] { static_cast<void>(streamed.finish()); }), ErrorCode::conflict);
  change_and_move("hello WORLD, and more", true);
  EXPECT_EQ(code_of([&] { static_cast<void>(unhashed.finish()); }), ErrorCode::conflict);
  Download again = begin({.path = path("a"), .hash = HashAlgorithm::sha256});
  change_and_move("hello world, and more", false);
  EXPECT_EQ(code_of([&] { static_cast<void>(again.finish()); }), ErrorCode::conflict);
}

TEST_F(DownloadTest, what_is_remembered_of_a_moved_file_is_true) {
  put("a", "hello world");
  Download download = begin({.path = path("a"), .hash = HashAlgorithm::xxh3_128});
  files_->move(anna_, path("a"), path("b"));
  static_cast<void>(download.finish());
  const auto mtime = std::filesystem::last_write_time(home() / "b");
  const std::int64_t before = ctime_of("b");
  write_whole(home() / "b", "HELLO world");
  do {
    std::filesystem::last_write_time(home() / "b", mtime);
  } while (ctime_of("b") == before);
  EXPECT_EQ(files_->sum(anna_, path("b"), HashAlgorithm::xxh3_128), hash_of("HELLO world"));
}

TEST_F(DownloadTest, hashing_can_be_cancelled) {
  put("a", "hello");
  std::stop_source source;
  source.request_stop();
  Download download = begin({.path = path("a"), .hash = HashAlgorithm::md5});
  EXPECT_THROW(static_cast<void>(download.finish(source.get_token())), Cancelled);
}

TEST_F(DownloadTest, what_is_no_file_is_refused) {
  EXPECT_EQ(code_of([&] { begin({.path = path("none")}); }), ErrorCode::not_found);
  EXPECT_EQ(code_of([&] { begin({.path = {}}); }), ErrorCode::conflict);
}

TEST_F(DownloadTest, an_empty_file_is_a_file) {
  put("a", "");
  Download download = begin({.path = path("a"), .hash = HashAlgorithm::sha256});
  EXPECT_EQ(download.size(), 0U);
  EXPECT_EQ(download.finish(), hash_of("", HashAlgorithm::sha256));
}

}  // namespace
}  // namespace hawser::hub
