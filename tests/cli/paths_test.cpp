// Names on the hub, and where files from it may go.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <hawser/base/errors.h>

#include "cli/failure.h"
#include "cli/landing.h"
#include "cli/local_file.h"
#include "cli/local_tree.h"
#include "cli/remote_files.h"
#include "scratch_home.h"

namespace hawser::cli {
namespace {

namespace fs = std::filesystem;

std::string content_of(const fs::path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

TEST(patterns, stars_and_question_marks) {
  EXPECT_TRUE(matches("*.txt", "a.txt"));
  EXPECT_FALSE(matches("*.txt", "a.txt.gz"));
  EXPECT_TRUE(matches("a?c", "abc"));
  EXPECT_TRUE(matches("a?c", "a日c"));
  EXPECT_TRUE(matches("*a*b*", "xxaxxbxx"));
  EXPECT_FALSE(matches("*a*b", "xxbxxa"));
  EXPECT_TRUE(matches("***", ""));
  EXPECT_FALSE(matches("*", ".hidden"));
  EXPECT_TRUE(matches(".*", ".hidden"));
}

TEST(patterns, a_backslash_takes_the_meaning_from_a_star_and_is_itself_elsewhere) {
  EXPECT_TRUE(is_pattern("a*"));
  EXPECT_FALSE(is_pattern("a\\*"));
  EXPECT_TRUE(matches("a\\**", "a*b"));
  EXPECT_FALSE(matches("a\\**", "axb"));
  EXPECT_FALSE(is_pattern("a\\b"));
  EXPECT_TRUE(matches("a\\b*", "a\\bc"));
}

TEST(patterns, many_stars_do_not_take_for_ever) {
  EXPECT_FALSE(matches(std::string(100, '*') + "b", std::string(5000, 'a')));
  std::string pattern;
  for (int i = 0; i < 100; ++i) pattern += "a*";
  EXPECT_FALSE(matches(pattern + "b", std::string(5000, 'a')));
}

TEST(landing, names_that_lead_elsewhere_are_refused) {
  for (const char* path : {"../x", "a/../b", "/etc/passwd", "", ".", "a//b", "a/./b", "a\nb", "a\x1b", "\xff"})
    EXPECT_THROW(check_landing_path(path), Failure) << path;
  EXPECT_NO_THROW(check_landing_path("a b/日本"));
}

TEST(landing, folders_are_made_below_the_top) {
  const ScratchHome scratch;
  const Landing landing(scratch.path());
  EXPECT_TRUE(landing.open_folder("a/b/c"));
  EXPECT_TRUE(fs::is_directory(scratch.path() / "a/b/c"));
  std::ofstream(scratch.path() / "a/file") << "x";
  EXPECT_THROW(landing.open_folder("a/file/b"), SystemError);
}

TEST(landing, a_link_that_leads_out_is_not_written_through) {
  const ScratchHome scratch;
  fs::create_directory(scratch.path() / "top");
  fs::create_directory(scratch.path() / "elsewhere");
  fs::create_directory_symlink("../elsewhere", scratch.path() / "top/link");
  fs::create_directory_symlink("/tmp", scratch.path() / "top/root");
  const Landing landing(scratch.path() / "top");
  EXPECT_THROW(landing.open_folder("link"), Failure);
  EXPECT_THROW(landing.open_folder("link/deeper"), Failure);
  EXPECT_THROW(landing.open_folder("root"), Failure);
}

TEST(landing, a_file_replaces_a_link_of_its_name_and_not_its_target) {
  const ScratchHome scratch;
  std::ofstream(scratch.path() / "precious") << "keep me";
  fs::create_symlink("precious", scratch.path() / "a");
  const Landing landing(scratch.path());
  land_file(landing.open_folder("").get(), "a", "new", 0640, 1'000'000'000'000'000'005);
  EXPECT_EQ(content_of(scratch.path() / "precious"), "keep me");
  EXPECT_EQ(content_of(scratch.path() / "a"), "new");
  const auto state = landing.look("a");
  ASSERT_TRUE(state);
  EXPECT_TRUE(state->is_file);
  EXPECT_EQ(state->mtime_ns, 1'000'000'000'000'000'005);
  struct stat status {};
  ASSERT_EQ(::lstat((scratch.path() / "a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0640U);
}

TEST(part_file, goes_on_with_the_same_source_only) {
  const ScratchHome scratch;
  const Landing landing(scratch.path());
  { PartFile(landing, "big", "version 1", true).write("12345"); }
  {
    PartFile part(landing, "big", "version 1", true);
    EXPECT_EQ(part.size(), 5U);
    std::array<std::byte, 5> text{};
    EXPECT_EQ(part.read(text, 0), 5U);
    part.write("678");
  }
  EXPECT_EQ(PartFile(landing, "big", "version 1", true).size(), 8U);
  {
    PartFile changed(landing, "big", "version 2", true);
    EXPECT_EQ(changed.size(), 0U);
    changed.write("abc");
  }
  EXPECT_EQ(PartFile(landing, "big", "version 2", false).size(), 0U);
  EXPECT_FALSE(fs::exists(scratch.path() / "big"));
}

TEST(part_file, appears_under_its_name_when_it_is_settled) {
  const ScratchHome scratch;
  const Landing landing(scratch.path());
  {
    PartFile part(landing, "sub/big", "source", true);
    part.write("whole");
    part.settle(0755, 1'000'000'000);
  }
  EXPECT_EQ(content_of(scratch.path() / "sub/big"), "whole");
  EXPECT_EQ(std::distance(fs::directory_iterator(scratch.path() / "sub"), {}), 1);
}

TEST(part_file, nothing_is_left_of_one_that_never_got_anything) {
  const ScratchHome scratch;
  { PartFile part(Landing(scratch.path()), "big", "source", true); }
  EXPECT_TRUE(fs::is_empty(scratch.path()));
}

TEST(part_file, two_at_once_are_refused) {
  const ScratchHome scratch;
  const Landing landing(scratch.path());
  PartFile first(landing, "big", "source", true);
  first.write("x");
  EXPECT_THROW(PartFile(landing, "big", "source", true), Failure);
  EXPECT_EQ(first.size(), 1U);
  EXPECT_TRUE(fs::exists(scratch.path() / part_name("big")));
}

TEST(part_file, the_longest_name_still_has_room_for_a_part) {
  const std::string longest(255, 'n');
  EXPECT_LE(part_name(longest).size(), 255U);
  EXPECT_NE(part_name(longest), part_note_name(longest));
  EXPECT_NE(part_name(longest), part_name(std::string(254, 'n') + "m"));
}

TEST(local_tree, files_and_folders_in_order_and_links_left_out) {
  const ScratchHome scratch;
  fs::create_directories(scratch.path() / "t/sub/empty");
  std::ofstream(scratch.path() / "t/b") << "b";
  std::ofstream(scratch.path() / "t/sub/c") << "ccc";
  fs::create_symlink("/etc/passwd", scratch.path() / "t/link");
  ASSERT_EQ(::mkfifo((scratch.path() / "t/pipe").c_str(), 0600), 0);
  UploadList list;
  add_tree((scratch.path() / "t").string() + "/", "far", list);
  EXPECT_EQ(list.folders, (std::vector<std::string>{"far", "far/sub", "far/sub/empty"}));
  ASSERT_EQ(list.files.size(), 2U);
  EXPECT_EQ(list.files[0].remote, "far/b");
  EXPECT_EQ(list.files[1].remote, "far/sub/c");
  EXPECT_EQ(list.files[1].size, 3U);
  EXPECT_EQ(list.skipped.size(), 2U);
}

TEST(local_tree, a_path_without_a_name_gets_that_of_its_folder) {
  EXPECT_EQ(local_name("a/b/"), "b");
  EXPECT_EQ(local_name("a"), "a");
  EXPECT_EQ(local_name("."), fs::current_path().filename().string());
}

TEST(local_file, a_fifo_is_refused_without_waiting_for_it) {
  const ScratchHome scratch;
  const auto pipe = scratch.path() / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THROW(LocalFile(pipe, true), Failure);
}

TEST(local_file, links_are_followed_only_when_asked) {
  const ScratchHome scratch;
  std::ofstream(scratch.path() / "a") << "x";
  fs::create_symlink("a", scratch.path() / "link");
  EXPECT_NO_THROW(LocalFile(scratch.path() / "link", true));
  EXPECT_THROW(LocalFile(scratch.path() / "link", false), SystemError);
}

TEST(local_file, a_change_is_noticed) {
  const ScratchHome scratch;
  std::ofstream(scratch.path() / "a") << "12345";
  const LocalFile file(scratch.path() / "a", true);
  EXPECT_EQ(file.read(100), "12345");
  EXPECT_NO_THROW(file.check_unchanged());
  std::ofstream(scratch.path() / "a", std::ios::app) << "6";
  EXPECT_THROW(file.check_unchanged(), Failure);
  EXPECT_THROW(file.read(100), Failure);
  EXPECT_THROW(file.read(4), Failure);
}

}  // namespace
}  // namespace hawser::cli
