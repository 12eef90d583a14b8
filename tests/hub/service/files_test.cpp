#include "hub/service/files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <stop_token>
#include <thread>

#include <hawser/base/errors.h>

#include "hub/service/tree_walk.h"
#include "temporary_root.h"

namespace hawser::hub {
namespace {

namespace fs = std::filesystem;

class FilesTest : public TemporaryRoot {
 protected:
  std::map<std::string, Entry> list(std::string_view text, bool recursive = false, std::size_t chunk = 3) {
    std::map<std::string, Entry> entries;
    Listing listing = files_->list(anna_, path(text), recursive);
    for (;;) {
      auto some = listing.next(chunk);
      if (some.empty()) return entries;
      EXPECT_LE(some.size(), chunk);
      for (auto& entry : some) {
        const std::string name = entry.name;
        EXPECT_TRUE(entries.emplace(name, std::move(entry)).second) << name << " twice";
      }
    }
  }
  std::optional<ErrorCode> mkdir(std::string_view text, bool parents = false) {
    return code_of([&] { files_->mkdir(anna_, path(text), parents); }, &message_);
  }
  std::optional<ErrorCode> remove(std::string_view text, bool recursive = false) {
    return code_of([&] { files_->remove(anna_, path(text), recursive); }, &message_);
  }
  std::optional<ErrorCode> move(std::string_view from, std::string_view to) {
    return code_of([&] { files_->move(anna_, path(from), path(to)); }, &message_);
  }
  std::optional<ErrorCode> stat_fails(std::string_view text) {
    return code_of([&] { static_cast<void>(files_->stat(anna_, path(text))); }, &message_);
  }
  std::string message_;
};

TEST_F(FilesTest, a_home_is_made_at_first_use_and_is_its_users_alone) {
  Session bert = anna_;
  bert.user = "bert";
  EXPECT_TRUE(files_->list(bert, {}, false).next(10).empty());
  struct stat status {};
  ASSERT_EQ(::stat((root_ / "homes" / "bert").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700U);
}

TEST_F(FilesTest, a_listing_says_what_is_there) {
  put("a.txt", "hello");
  mkdir("docs");
  fs::create_symlink("a.txt", home() / "link");
  ::mkfifo((home() / "fifo").c_str(), 0600);
  const auto entries = list("");
  ASSERT_EQ(entries.size(), 4U);
  EXPECT_EQ(entries.at("a.txt").type, EntryType::file);
  EXPECT_EQ(entries.at("a.txt").size, 5U);
  EXPECT_EQ(entries.at("a.txt").mode, 0644U);
  EXPECT_EQ(entries.at("docs").type, EntryType::dir);
  EXPECT_EQ(entries.at("link").type, EntryType::link);
  EXPECT_EQ(entries.at("fifo").type, EntryType::other);
}

TEST_F(FilesTest, a_recursive_listing_shows_everything_once_and_follows_no_link) {
  mkdir("a/b/c", true);
  put("a/b/c/deep.txt", "1");
  put("a/1.txt", "1");
  put("top.txt", "1");
  fs::create_directory_symlink("/etc", home() / "a" / "etc");
  fs::create_directory_symlink("..", home() / "a" / "up");
  std::set<std::string> names;
  for (const auto& [name, entry] : list("", true, 2)) names.insert(name);
  EXPECT_EQ(names,
            (std::set<std::string>{"a", "a/1.txt", "a/b", "a/b/c", "a/b/c/deep.txt", "a/etc", "a/up", "top.txt"}));
}

std::size_t open_descriptors() {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator("/proc/self/fd"), {}));
}

// Files beside each of the directories, so that there is something on the way down and on the way back.
std::set<std::string> make_deep_tree(const fs::path& home, int depth) {
  std::set<std::string> names;
  std::string below;
  for (int level = 0; level < depth; ++level) {
    for (const char* name : {"1", "2", "3", "4", "5"}) {
      names.insert(below + name);
      write_whole(home / (below + name), "x");
    }
    names.insert(below + "d");
    fs::create_directory(home / (below + "d"));
    below += "d/";
  }
  return names;
}

TEST_F(FilesTest, a_deep_tree_takes_few_descriptors_to_list_and_to_remove) {
  const auto made = make_deep_tree(home(), 60);
  const std::size_t before = open_descriptors();
  std::set<std::string> seen;
  std::size_t most = 0;
  Listing listing = files_->list(anna_, {}, true);
  for (auto some = listing.next(1); !some.empty(); some = listing.next(1)) {
    EXPECT_TRUE(seen.insert(some.front().name).second) << some.front().name << " twice";
    most = std::max(most, open_descriptors());
  }
  EXPECT_EQ(seen, made);
  EXPECT_LE(most, before + TreeWalk::kOpenLevels + 2);
  EXPECT_EQ(files_->du(anna_, {}).files, 300U);
  EXPECT_EQ(remove("d", true), std::nullopt);
  EXPECT_EQ(list("", true).size(), 5U);
}

TEST_F(FilesTest, a_walk_does_not_leave_by_a_directory_that_was_moved) {
  make_deep_tree(home(), 20);
  Listing listing = files_->list(anna_, {}, true);
  const auto depth = [](const std::string& name) { return std::count(name.begin(), name.end(), '/'); };
  while (depth(listing.next(1).at(0).name) < 19) {
  }
  fs::create_directory(root_ / "outside");
  write_whole(root_ / "outside" / "secret", "x");
  fs::rename(home() / "d/d/d", root_ / "outside" / "d");
  EXPECT_EQ(code_of([&] {
              for (auto some = listing.next(1); !some.empty(); some = listing.next(1)) {
                EXPECT_FALSE(some.front().name.ends_with("secret"));
              }
            }),
            ErrorCode::conflict);
}

TEST_F(FilesTest, names_that_are_no_text_are_shown_as_text) {
  write_whole(home() /
                  "bad\xff"
                  "name",
              "x");
  EXPECT_TRUE(
      list("").contains("bad\xef\xbf\xbd"
                        "name"));
}

TEST_F(FilesTest, listing_what_is_no_directory_fails) {
  put("a.txt", "x");
  EXPECT_EQ(code_of([&] { list("a.txt"); }), ErrorCode::conflict);
  EXPECT_EQ(code_of([&] { list("none"); }), ErrorCode::not_found);
  EXPECT_EQ(code_of([&] { list("a.txt/b"); }), ErrorCode::conflict);
}

TEST_F(FilesTest, long_walks_can_be_cancelled) {
  for (int n = 0; n < 10; ++n) put(std::to_string(n), "x");
  std::stop_source source;
  source.request_stop();
  Listing listing = files_->list(anna_, {}, true);
  EXPECT_THROW(static_cast<void>(listing.next(100, source.get_token())), Cancelled);
  EXPECT_THROW(static_cast<void>(files_->sum(anna_, path("1"), HashAlgorithm::sha256, source.get_token())), Cancelled);
  EXPECT_THROW(static_cast<void>(files_->du(anna_, {}, source.get_token())), Cancelled);
  mkdir("d");
  put("d/x", "x");
  EXPECT_THROW(files_->remove(anna_, path("d"), true, source.get_token()), Cancelled);
  EXPECT_TRUE(fs::exists(home() / "d" / "x"));
}

TEST_F(FilesTest, stat_tells_of_one_file_and_its_hash_when_known) {
  const FileHash hash = put("a.txt", "hello");
  const Entry entry = files_->stat(anna_, path("./a.txt"));
  EXPECT_EQ(entry.name, "a.txt");
  EXPECT_EQ(entry.size, 5U);
  EXPECT_EQ(entry.hash, hash);
  write_whole(home() / "a.txt", "other");
  EXPECT_EQ(files_->stat(anna_, path("a.txt")).hash, std::nullopt);
  EXPECT_EQ(files_->stat(anna_, {}).type, EntryType::dir);
  EXPECT_EQ(files_->stat(anna_, {}).name, ".");
  EXPECT_EQ(stat_fails("none"), ErrorCode::not_found);
  EXPECT_EQ(message_, "no such file: none");
}

TEST_F(FilesTest, mkdir_makes_one_directory_or_all_that_are_missing) {
  EXPECT_EQ(mkdir("a/b"), ErrorCode::not_found);
  EXPECT_EQ(mkdir("a/b/c", true), std::nullopt);
  EXPECT_EQ(mkdir("a/b/c", true), std::nullopt);
  EXPECT_EQ(mkdir("a/b/c"), ErrorCode::exists);
  EXPECT_EQ(mkdir(""), ErrorCode::exists);
  EXPECT_EQ(mkdir("", true), std::nullopt);
  put("file", "x");
  EXPECT_EQ(mkdir("file"), ErrorCode::exists);
  EXPECT_EQ(mkdir("file", true), ErrorCode::conflict);
  EXPECT_EQ(mkdir("file/d", true), ErrorCode::conflict);
  EXPECT_TRUE(fs::is_directory(home() / "a" / "b" / "c"));
}

TEST_F(FilesTest, remove_takes_files_and_empty_directories_and_trees_when_asked) {
  put("a.txt", "x");
  mkdir("tree/sub/empty", true);
  put("tree/sub/b.txt", "x");
  EXPECT_EQ(remove("a.txt"), std::nullopt);
  EXPECT_EQ(remove("a.txt"), ErrorCode::not_found);
  EXPECT_EQ(remove("tree"), ErrorCode::conflict);
  EXPECT_EQ(remove("tree/sub/empty"), std::nullopt);
  EXPECT_EQ(remove("tree", true), std::nullopt);
  EXPECT_EQ(remove("", true), ErrorCode::forbidden);
  EXPECT_TRUE(fs::is_empty(home()));
}

TEST_F(FilesTest, removing_a_link_leaves_what_it_points_to) {
  const auto outside = root_ / "outside";
  fs::create_directory(outside);
  write_whole(outside / "precious", "x");
  mkdir("tree");
  fs::create_directory_symlink(outside, home() / "tree" / "link");
  fs::create_directory_symlink(outside, home() / "link");
  EXPECT_EQ(remove("link", true), std::nullopt);
  EXPECT_EQ(remove("tree", true), std::nullopt);
  EXPECT_TRUE(fs::exists(outside / "precious"));
  EXPECT_FALSE(fs::exists(home() / "tree"));
}

TEST_F(FilesTest, removing_takes_fifos_and_sockets_too) {
  mkdir("tree");
  ASSERT_EQ(::mkfifo((home() / "tree" / "fifo").c_str(), 0600), 0);
  ASSERT_EQ(::mkfifo((home() / "fifo").c_str(), 0600), 0);
  EXPECT_EQ(remove("fifo"), std::nullopt);
  EXPECT_EQ(remove("tree", true), std::nullopt);
}

TEST_F(FilesTest, move_renames_and_never_replaces) {
  put("a.txt", "a");
  put("b.txt", "b");
  mkdir("d/sub", true);
  EXPECT_EQ(move("a.txt", "b.txt"), ErrorCode::exists);
  EXPECT_EQ(read_whole(home() / "b.txt"), "b");
  EXPECT_EQ(move("a.txt", "d/c.txt"), std::nullopt);
  EXPECT_EQ(read_whole(home() / "d" / "c.txt"), "a");
  EXPECT_EQ(move("none", "x"), ErrorCode::not_found);
  EXPECT_EQ(move("b.txt", "none/x"), ErrorCode::not_found);
  EXPECT_EQ(move("d", "d/sub/d"), ErrorCode::bad_request);
  EXPECT_EQ(move("d", ""), ErrorCode::exists);
  EXPECT_EQ(move("", "x"), ErrorCode::forbidden);
  EXPECT_EQ(move("b.txt", "b2/"), ErrorCode::conflict);
  EXPECT_EQ(move("d", "e/"), std::nullopt);
}

TEST_F(FilesTest, a_moved_file_keeps_its_known_hash) {
  const FileHash hash = put("a.txt", "hello");
  EXPECT_EQ(move("a.txt", "b.txt"), std::nullopt);
  EXPECT_EQ(files_->stat(anna_, path("b.txt")).hash, hash);
}

TEST_F(FilesTest, sum_is_the_hash_of_what_is_there_now) {
  put("a.txt", "hello");
  for (const auto algorithm : {HashAlgorithm::xxh3_128, HashAlgorithm::sha256, HashAlgorithm::md5}) {
    EXPECT_EQ(files_->sum(anna_, path("a.txt"), algorithm), hash_of("hello", algorithm));
    write_whole(home() / "a.txt", "jello");
    EXPECT_EQ(files_->sum(anna_, path("a.txt"), algorithm), hash_of("jello", algorithm));
    write_whole(home() / "a.txt", "hello");
  }
  EXPECT_EQ(code_of([&] { static_cast<void>(files_->sum(anna_, {}, HashAlgorithm::md5)); }), ErrorCode::conflict);
}

TEST_F(FilesTest, a_change_that_puts_size_and_time_back_is_noticed) {
  put("a.txt", "hello");
  struct stat before {};
  ASSERT_EQ(::stat((home() / "a.txt").c_str(), &before), 0);
  write_whole(home() / "a.txt", "jello");
  const timespec times[2] = {before.st_atim, before.st_mtim};
  ASSERT_EQ(::utimensat(AT_FDCWD, (home() / "a.txt").c_str(), times, 0), 0);
  EXPECT_EQ(files_->sum(anna_, path("a.txt"), HashAlgorithm::xxh3_128), hash_of("jello"));
}

TEST_F(FilesTest, du_counts_what_is_below) {
  mkdir("a/b", true);
  put("a/1", std::string(1000, 'x'));
  put("a/b/2", std::string(500, 'x'));
  const DiskUse use = files_->du(anna_, path("a"));
  EXPECT_EQ(use.bytes, 1500U);
  EXPECT_EQ(use.files, 2U);
  EXPECT_EQ(use.dirs, 2U);
  EXPECT_EQ(files_->du(anna_, path("a/1")).bytes, 1000U);
}

TEST_F(FilesTest, one_hub_at_a_time_works_in_a_root) {
  EXPECT_EQ(code_of([&] { Files second(root_, *store_, *audit_); }), ErrorCode::busy);
}

TEST_F(FilesTest, changes_are_written_down) {
  put("a.txt", "x");
  mkdir("d");
  move("a.txt", "d/a.txt");
  remove("d", true);
  const auto lines = store_->audit(10);
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[0].action, "remove");
  EXPECT_EQ(lines[1].object, "a.txt -> d/a.txt");
  EXPECT_EQ(lines[2].action, "mkdir");
  EXPECT_EQ(lines[3].action, "put");
  EXPECT_EQ(lines[3].user, "anna");
}

TEST_F(FilesTest, a_directory_that_may_not_be_written_says_so) {
  if (::geteuid() == 0) {
    // Root may write anywhere: an immutable bit would do, but not on every file system. A child without rights does.
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      mkdir("closed");
      ::chmod((home() / "closed").c_str(), 0555);
      fs::permissions(root_, fs::perms::all);
      fs::permissions(root_ / "homes", fs::perms::all);
      fs::permissions(home(), fs::perms::all);
      if (::setresuid(65534, 65534, 65534) != 0) ::_exit(2);
      const auto offset = code_of([&] { static_cast<void>(files_->upload_offset(anna_, path("closed/x"), 1, {})); });
      const auto made = mkdir("closed/x");
      ::_exit(offset == ErrorCode::forbidden && made == ErrorCode::forbidden ? 0 : 1);
    }
    int result = 0;
    ASSERT_EQ(::waitpid(child, &result, 0), child);
    EXPECT_EQ(result, 0);
    return;
  }
  mkdir("closed");
  ::chmod((home() / "closed").c_str(), 0555);
  EXPECT_EQ(code_of([&] { static_cast<void>(files_->upload_offset(anna_, path("closed/x"), 1, {})); }, &message_),
            ErrorCode::forbidden);
  EXPECT_NE(message_.find("closed/x"), std::string::npos);
  EXPECT_EQ(mkdir("closed/x"), ErrorCode::forbidden);
  ::chmod((home() / "closed").c_str(), 0755);
}

}  // namespace
}  // namespace hawser::hub
