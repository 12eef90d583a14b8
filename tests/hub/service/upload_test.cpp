#include "hub/service/upload.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <random>
#include <thread>
#include <vector>

#include <hawser/base/clock.h>

#include "temporary_root.h"

namespace hawser::hub {
namespace {

namespace fs = std::filesystem;

class UploadTest : public TemporaryRoot {
 protected:
  Upload begin(std::string_view name, std::string_view content, std::uint64_t offset = 0) {
    return files_->begin_upload(
        anna_, {.path = path(name), .total = content.size(), .offset = offset, .hash = hash_of(content)});
  }
  std::uint64_t offset_of(std::string_view name, std::string_view content) {
    return files_->upload_offset(anna_, path(name), content.size(), hash_of(content));
  }
  // Sends [from, to) and lets go without a commit, as a connection that broke.
  void send_part(std::string_view name, std::string_view content, std::size_t from, std::size_t to) {
    Upload upload = begin(name, content, from);
    upload.write(as_span(content.substr(from, to - from)));
  }
  void send_rest(std::string_view name, std::string_view content, std::size_t from) {
    Upload upload = begin(name, content, from);
    upload.write(as_span(content.substr(from)));
    upload.commit();
  }
};

TEST_F(UploadTest, a_file_appears_whole_with_its_mode_and_time) {
  const std::string content = random_bytes(1'000'000);
  Upload upload = files_->begin_upload(anna_, {.path = path("a.bin"),
                                               .total = content.size(),
                                               .hash = hash_of(content, HashAlgorithm::sha256),
                                               .mtime_ns = 1'700'000'000'123'456'789,
                                               .mode = 04755});
  upload.write(as_span(content));
  EXPECT_FALSE(fs::exists(home() / "a.bin"));
  EXPECT_EQ(upload.commit(), hash_of(content, HashAlgorithm::sha256));
  EXPECT_EQ(read_whole(home() / "a.bin"), content);
  struct stat status {};
  ASSERT_EQ(::stat((home() / "a.bin").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0755U);
  EXPECT_EQ(status.st_mtim.tv_sec, 1'700'000'000);
  EXPECT_EQ(status.st_mtim.tv_nsec, 123'456'789);
  EXPECT_EQ(staged(), 0U);
}

TEST_F(UploadTest, an_empty_file_is_a_file) {
  EXPECT_EQ(put("empty", ""), hash_of(""));
  EXPECT_EQ(fs::file_size(home() / "empty"), 0U);
}

TEST_F(UploadTest, without_a_hash_the_answer_is_xxh3) { EXPECT_EQ(put("a", "hello"), hash_of("hello")); }

TEST_F(UploadTest, a_file_that_is_there_is_replaced_in_one_step) {
  put("a", "old");
  Upload upload = begin("a", "newer");
  upload.write(as_span("newer"));
  EXPECT_EQ(read_whole(home() / "a"), "old");
  upload.commit();
  EXPECT_EQ(read_whole(home() / "a"), "newer");
}

TEST_F(UploadTest, a_wrong_hash_leaves_nothing_behind) {
  put("a", "old");
  Upload upload = files_->begin_upload(anna_, {.path = path("a"), .total = 3, .hash = hash_of("abc")});
  upload.write(as_span("abd"));
  EXPECT_EQ(code_of([&] { upload.commit(); }), ErrorCode::hash_mismatch);
  EXPECT_EQ(read_whole(home() / "a"), "old");
  EXPECT_EQ(staged(), 0U);
  EXPECT_EQ(offset_of("a", "abc"), 0U);
}

TEST_F(UploadTest, neither_more_nor_less_than_announced_is_taken) {
  Upload upload = begin("a", "hello");
  upload.write(as_span("hel"));
  EXPECT_EQ(upload.left(), 2U);
  EXPECT_EQ(code_of([&] { upload.commit(); }), ErrorCode::conflict);
  EXPECT_EQ(code_of([&] { upload.write(as_span("loo")); }), ErrorCode::too_large);
  upload.write(as_span("lo"));
  upload.commit();
  EXPECT_EQ(read_whole(home() / "a"), "hello");
  EXPECT_EQ(code_of([&] { upload.write(as_span("x")); }), ErrorCode::conflict);
  EXPECT_EQ(code_of([&] { upload.commit(); }), ErrorCode::conflict);
}

TEST_F(UploadTest, a_broken_upload_goes_on_where_it_stopped) {
  const std::string content = random_bytes(300'000);
  EXPECT_EQ(offset_of("a", content), 0U);
  send_part("a", content, 0, 100'000);
  EXPECT_EQ(offset_of("a", content), 100'000U);
  send_part("a", content, 100'000, 250'000);
  EXPECT_EQ(offset_of("a", content), 250'000U);
  EXPECT_FALSE(fs::exists(home() / "a"));
  send_rest("a", content, 250'000);
  EXPECT_EQ(read_whole(home() / "a"), content);
  EXPECT_EQ(staged(), 0U);
}

TEST_F(UploadTest, every_algorithm_resumes) {
  const std::string content = random_bytes(10'000);
  for (const auto algorithm : {HashAlgorithm::xxh3_128, HashAlgorithm::sha256, HashAlgorithm::md5}) {
    const std::string name(to_string(algorithm));
    const FileHash hash = hash_of(content, algorithm);
    UploadRequest request{.path = path(name), .total = content.size(), .hash = hash};
    files_->begin_upload(anna_, request).write(as_span(std::string_view(content).substr(0, 4321)));
    request.offset = 4321;
    Upload upload = files_->begin_upload(anna_, request);
    upload.write(as_span(std::string_view(content).substr(4321)));
    EXPECT_EQ(upload.commit(), hash);
  }
}

TEST_F(UploadTest, it_goes_on_after_the_hub_was_started_anew) {
  const std::string content = random_bytes(300'000);
  send_part("a", content, 0, 100'000);
  stop();
  start();
  EXPECT_EQ(offset_of("a", content), 100'000U);
  send_rest("a", content, 100'000);
  EXPECT_EQ(read_whole(home() / "a"), content);
}

TEST_F(UploadTest, a_client_may_go_back_but_not_ahead) {
  const std::string content = random_bytes(1000);
  send_part("a", content, 0, 500);
  EXPECT_EQ(code_of([&] { static_cast<void>(begin("a", content, 501)); }), ErrorCode::conflict);
  send_part("a", content, 200, 300);
  EXPECT_EQ(offset_of("a", content), 300U);
  send_rest("a", content, 300);
  EXPECT_EQ(read_whole(home() / "a"), content);
}

TEST_F(UploadTest, a_changed_source_or_another_place_begins_anew) {
  const std::string content = random_bytes(1000);
  std::string changed = content;
  changed[900] = static_cast<char>(changed[900] + 1);
  send_part("a", content, 0, 500);
  EXPECT_EQ(offset_of("a", changed), 0U);
  EXPECT_EQ(offset_of("b", content), 0U);
  EXPECT_EQ(files_->upload_offset(anna_, path("a"), 999, hash_of(content)), 0U);
  EXPECT_EQ(files_->upload_offset(anna_, path("a"), 1000, hash_of(content, HashAlgorithm::md5)), 0U);
  EXPECT_EQ(code_of([&] { static_cast<void>(begin("a", changed, 500)); }), ErrorCode::conflict);
  Session bert = anna_;
  bert.user = "bert";
  EXPECT_EQ(files_->upload_offset(bert, path("a"), 1000, hash_of(content)), 0U);
}

TEST_F(UploadTest, wrong_hashes_do_not_fill_the_audit) {
  const auto before = store_->audit(2000).size();
  for (int n = 0; n < 300; ++n) {
    Upload upload = files_->begin_upload(anna_, {.path = path("a"), .total = 0, .hash = hash_of("abc")});
    EXPECT_EQ(code_of([&] { upload.commit(); }), ErrorCode::hash_mismatch);
  }
  const auto lines = store_->audit(2000);
  EXPECT_LT(lines.size(), before + 50);
  EXPECT_EQ(lines.back().action, "put");
  EXPECT_EQ(lines.back().object, "a");
  EXPECT_EQ(lines.back().result, "hash_mismatch");
}

TEST_F(UploadTest, a_source_that_changes_under_way_is_noticed_at_the_end) {
  const std::string content = random_bytes(1000, 1);
  const std::string other = random_bytes(1000, 2);
  send_part("a", content, 0, 500);
  Upload upload = begin("a", content, 500);
  upload.write(as_span(std::string_view(other).substr(500)));
  EXPECT_EQ(code_of([&] { upload.commit(); }), ErrorCode::hash_mismatch);
  EXPECT_FALSE(fs::exists(home() / "a"));
}

TEST_F(UploadTest, without_a_hash_nothing_is_resumed_or_kept) {
  {
    Upload upload = files_->begin_upload(anna_, {.path = path("a"), .total = 10});
    upload.write(as_span("01234"));
    EXPECT_EQ(staged(), 1U);
  }
  EXPECT_EQ(staged(), 0U);
  EXPECT_EQ(files_->upload_offset(anna_, path("a"), 10, std::nullopt), 0U);
  EXPECT_EQ(
      code_of([&] { static_cast<void>(files_->begin_upload(anna_, {.path = path("a"), .total = 10, .offset = 5})); }),
      ErrorCode::conflict);
}

TEST_F(UploadTest, a_file_that_is_in_place_already_is_not_sent_again) {
  const std::string content = random_bytes(1000);
  send_rest("a", content, 0);
  EXPECT_EQ(offset_of("a", content), content.size());
  Upload upload = files_->begin_upload(anna_, {.path = path("a"),
                                               .total = content.size(),
                                               .offset = content.size(),
                                               .hash = hash_of(content),
                                               .mtime_ns = 5'000'000'000,
                                               .mode = 0600});
  EXPECT_EQ(upload.commit(), hash_of(content));
  struct stat status {};
  ASSERT_EQ(::stat((home() / "a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mtim.tv_sec, 5);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  EXPECT_EQ(offset_of("a", content), content.size());
  std::string changed = content;
  changed[0] = static_cast<char>(changed[0] + 1);
  write_whole(home() / "a", changed);
  EXPECT_EQ(offset_of("a", content), 0U);
  EXPECT_EQ(code_of([&] { static_cast<void>(begin("a", content, content.size())); }), ErrorCode::conflict);
}

TEST_F(UploadTest, no_hash_is_remembered_for_what_others_wrote_as_soon_as_the_name_appeared) {
  const std::string content = random_bytes(1000);
  for (const int flags : {O_APPEND, 0}) {
    for (int round = 0; round < 200; ++round) {
      const std::string name = std::to_string(flags) + "-" + std::to_string(round);
      const fs::path file = home() / name;
      std::atomic<bool> ready{false};
      std::thread other([&] {
        int fd = -1;
        for (ready = true; fd < 0;) fd = ::open(file.c_str(), O_WRONLY | O_CLOEXEC | flags);
        EXPECT_EQ(::write(fd, "other", 5), 5);
        ::close(fd);
      });
      while (!ready) std::this_thread::yield();
      EXPECT_EQ(put(name, content), hash_of(content));
      other.join();
      const std::string now = read_whole(file);
      EXPECT_NE(now, content);
      if (const auto hash = files_->stat(anna_, path(name)).hash) {
        EXPECT_EQ(*hash, hash_of(now)) << name;
      }
      EXPECT_EQ(files_->sum(anna_, path(name), HashAlgorithm::xxh3_128), hash_of(now)) << name;
    }
  }
}

TEST_F(UploadTest, what_a_put_would_refuse_is_refused_early) {
  fs::create_directory(home() / "d");
  EXPECT_EQ(code_of([&] { offset_of("d", "x"); }), ErrorCode::conflict);
  EXPECT_EQ(code_of([&] { offset_of("none/x", "x"); }), ErrorCode::not_found);
  EXPECT_EQ(code_of([&] { offset_of("", "x"); }), ErrorCode::conflict);
  EXPECT_EQ(code_of([&] { offset_of("d/", "x"); }), ErrorCode::bad_request);
  const auto with_total = [&](std::uint64_t total) {
    return code_of([&] { static_cast<void>(files_->upload_offset(anna_, path("a"), total, std::nullopt)); });
  };
  EXPECT_EQ(with_total(~0ULL), ErrorCode::too_large);
  EXPECT_EQ(with_total(1ULL << 62U), ErrorCode::no_space);
  EXPECT_EQ(
      code_of([&] { static_cast<void>(files_->begin_upload(anna_, {.path = path("a"), .total = 1, .offset = 2})); }),
      ErrorCode::bad_request);
}

TEST_F(UploadTest, a_directory_that_went_away_meanwhile_is_named_and_the_bytes_are_kept) {
  fs::create_directory(home() / "d");
  {
    Upload upload = begin("d/a", "hello");
    upload.write(as_span("hello"));
    fs::remove(home() / "d");
    EXPECT_EQ(code_of([&] { upload.commit(); }), ErrorCode::not_found);
  }
  fs::create_directory(home() / "d");
  EXPECT_EQ(offset_of("d/a", "hello"), 5U);
  send_rest("d/a", "hello", 5);
  EXPECT_EQ(read_whole(home() / "d" / "a"), "hello");
}

TEST_F(UploadTest, the_later_connection_takes_the_same_upload_over) {
  const std::string content = random_bytes(1000);
  Upload first = begin("a", content);
  first.write(as_span(std::string_view(content).substr(0, 400)));
  EXPECT_EQ(offset_of("a", content), 400U);
  Upload second = begin("a", content, 400);
  EXPECT_EQ(code_of([&] { first.write(as_span(std::string_view(content).substr(400))); }), ErrorCode::conflict);
  EXPECT_EQ(code_of([&] { first.commit(); }), ErrorCode::conflict);
  first.discard();
  second.write(as_span(std::string_view(content).substr(400)));
  second.commit();
  EXPECT_EQ(read_whole(home() / "a"), content);
}

TEST_F(UploadTest, different_uploads_of_one_name_are_never_mixed) {
  const std::string one = random_bytes(1000, 1);
  const std::string two = random_bytes(1000, 2);
  Upload first = begin("a", one);
  Upload second = begin("a", two);
  for (std::size_t at = 0; at < 1000; at += 100) {
    first.write(as_span(std::string_view(one).substr(at, 100)));
    second.write(as_span(std::string_view(two).substr(at, 100)));
  }
  first.commit();
  EXPECT_EQ(read_whole(home() / "a"), one);
  second.commit();
  EXPECT_EQ(read_whole(home() / "a"), two);
}

TEST_F(UploadTest, many_at_once_over_one_name_end_with_one_of_them_whole) {
  std::vector<std::string> contents;
  for (unsigned n = 0; n < 4; ++n) contents.push_back(random_bytes(50'000, n));
  for (int round = 0; round < 20; ++round) {
    std::vector<std::thread> threads;
    for (unsigned n = 0; n < 8; ++n) {
      threads.emplace_back([&, n] {
        const std::string_view content = contents[n % 4];
        static_cast<void>(code_of([&] {
          Upload upload = begin("a", content);
          for (std::size_t at = 0; at < content.size(); at += 5000) upload.write(as_span(content.substr(at, 5000)));
          upload.commit();
        }));
      });
    }
    for (auto& thread : threads) thread.join();
    const std::string now = read_whole(home() / "a");
    EXPECT_NE(std::ranges::find(contents, now), contents.end());
  }
  EXPECT_EQ(staged(), 0U);
}

TEST_F(UploadTest, a_quota_is_checked_before_the_first_byte) {
  anna_.quota_bytes = 1000;
  put("a", std::string(600, 'x'));
  EXPECT_EQ(code_of([&] { offset_of("b", std::string(401, 'x')); }), ErrorCode::quota_exceeded);
  EXPECT_EQ(code_of([&] { put("b", std::string(401, 'x')); }), ErrorCode::quota_exceeded);
  // What it replaces is given back, and what is under way counts.
  put("a", std::string(900, 'y'));
  put("b", std::string(100, 'x'));
  EXPECT_EQ(code_of([&] { put("c", "x"); }), ErrorCode::quota_exceeded);
  files_->remove(anna_, path("a"), false);
  const std::string big(600, 'z');
  Upload upload = begin("c", big);
  EXPECT_EQ(code_of([&] { put("d", std::string(301, 'x')); }), ErrorCode::quota_exceeded);
  upload.write(as_span(big));
  EXPECT_EQ(code_of([&] { put("d", std::string(301, 'x')); }), ErrorCode::quota_exceeded);
  put("d", std::string(300, 'x'));
  upload.commit();
}

TEST_F(UploadTest, a_quota_holds_against_many_at_once) {
  anna_.quota_bytes = 100'000;
  const std::string content = random_bytes(60'000);
  for (int round = 0; round < 50; ++round) {
    std::vector<std::thread> threads;
    std::atomic<int> taken{0};
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&, t] {
        const std::string name = std::to_string(t);
        const auto code = code_of([&] {
          if (t % 2 == 0) {
            put(name, content);
          } else {
            send_rest(name, content, 0);
          }
        });
        EXPECT_TRUE(!code || code == ErrorCode::quota_exceeded);
        if (!code) ++taken;
      });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(taken, 1);
    for (const auto& entry : fs::directory_iterator(home())) fs::remove(entry);
  }
}

TEST_F(UploadTest, a_quota_holds_when_what_was_to_be_replaced_is_moved_away) {
  anna_.quota_bytes = 1000;
  put("a", std::string(900, 'x'));
  const std::string content(800, 'y');
  Upload upload = begin("a", content);
  upload.write(as_span(content));
  files_->move(anna_, path("a"), path("b"));
  EXPECT_EQ(code_of([&] { upload.commit(); }), ErrorCode::quota_exceeded);
  EXPECT_FALSE(fs::exists(home() / "a"));
  files_->remove(anna_, path("b"), false);
  send_rest("a", content, content.size());
  EXPECT_EQ(read_whole(home() / "a"), content);
}

TEST_F(UploadTest, of_too_many_unfinished_uploads_the_oldest_that_is_not_in_use_goes) {
  for (const bool started_anew : {false, true}) {
    stop();
    start({.partials_per_user = 3});
    for (int n = 0; n < 3; ++n) {
      send_part(std::to_string(n), "hello", 0, 1);
      // Apart in time, whatever the grain of the file system's clock.
      for (const auto& entry : fs::directory_iterator(root_ / "staging" / "anna")) {
        fs::last_write_time(entry, fs::last_write_time(entry) - std::chrono::hours(1));
      }
    }
    if (started_anew) {
      stop();
      start({.partials_per_user = 3});
    }
    Upload used = begin("0", "hello", 1);
    send_part("3", "hello", 0, 1);
    EXPECT_EQ(staged(), 3U);
    EXPECT_EQ(offset_of("1", "hello"), 0U);
    EXPECT_EQ(offset_of("2", "hello"), 1U);
    EXPECT_EQ(offset_of("3", "hello"), 1U);
    used.write(as_span("ello"));
    used.commit();
    send_rest("2", "hello", 1);
    send_rest("3", "hello", 1);
    for (const char* name : {"0", "2", "3"}) files_->remove(anna_, path(name), false);
  }
}

TEST_F(UploadTest, uploads_under_way_are_limited_in_number) {
  stop();
  start({.partials_per_user = 3});
  std::vector<Upload> uploads;
  for (int n = 0; n < 3; ++n) uploads.push_back(begin(std::to_string(n), "hello"));
  EXPECT_EQ(code_of([&] { send_part("3", "hello", 0, 1); }), ErrorCode::busy);
  EXPECT_EQ(code_of([&] { put("3", "hello"); }), ErrorCode::busy);
  uploads.pop_back();
  EXPECT_EQ(code_of([&] { put("3", "hello"); }), std::nullopt);
  EXPECT_EQ(staged(), 2U);
}

TEST_F(UploadTest, a_refused_offset_leaves_nothing_behind) {
  EXPECT_EQ(code_of([&] { static_cast<void>(begin("a", "hello", 3)); }), ErrorCode::conflict);
  EXPECT_EQ(staged(), 0U);
}

TEST_F(UploadTest, many_at_once_share_few_places) {
  stop();
  start({.partials_per_user = 3});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int n = 0; n < 100; ++n) {
        const std::string name = std::to_string(t) + "-" + std::to_string(n);
        const auto code = code_of([&] { send_part(name, "hello", 0, 1); });
        EXPECT_TRUE(!code || code == ErrorCode::busy);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_LE(staged(), 3U);
  put("a", "hello");
}

TEST_F(UploadTest, what_nobody_goes_on_with_is_cleared_away_unless_in_use) {
  stop();
  start({.keep_partial = std::chrono::seconds(-1)});
  send_part("old", "hello", 0, 1);
  Upload upload = begin("used", "hello");
  EXPECT_EQ(staged(), 2U);
  files_->clean_up();
  EXPECT_EQ(staged(), 1U);
  EXPECT_EQ(offset_of("old", "hello"), 0U);
  upload.write(as_span("hello"));
  upload.commit();
}

TEST_F(UploadTest, what_could_not_be_resumed_is_cleared_away_at_start) {
  stop();
  write_whole(root_ / "staging" / "anna" / "once-7", "rest");
  start();
  EXPECT_EQ(staged(), 0U);
}

TEST_F(UploadTest, after_the_machine_went_down_only_what_was_synced_counts) {
  stop();
  start({.sync_every_bytes = 100});
  const std::string content = random_bytes(1000);
  {
    Upload upload = begin("a", content);
    for (std::size_t at = 0; at < 250; at += 50) upload.write(as_span(std::string_view(content).substr(at, 50)));
  }
  send_part("never-synced", content, 0, 50);
  stop();
  write_whole(root_ / "staging" / ".boot", "another boot");
  start({.sync_every_bytes = 100});
  EXPECT_EQ(offset_of("a", content), 200U);
  EXPECT_EQ(offset_of("never-synced", content), 0U);
  stop();
  // A note that was torn counts as none.
  write_whole(root_ / "staging" / ".boot", "another boot");
  for (const auto& entry : fs::directory_iterator(root_ / "staging" / "anna")) {
    if (entry.path().extension() == ".synced") write_whole(entry.path(), "250 0");
  }
  start({.sync_every_bytes = 100});
  EXPECT_EQ(offset_of("a", content), 0U);
  send_rest("a", content, 0);
  EXPECT_EQ(read_whole(home() / "a"), content);
  files_->remove(anna_, path("a"), false);
  EXPECT_EQ(staged(), 1U);
}

// Uploads in a child that is killed at a random moment, two hundred times; each goes on where the last one was cut.
TEST_F(UploadTest, kill_9_at_any_moment_loses_nothing_and_shows_nothing_half) {
  const std::string content = random_bytes(1 << 20);
  const FileHash hash = hash_of(content);
  stop();
  std::mt19937 random(7);
  int finished = 0;
  int resumed = 0;
  // How long an upload takes here; the first one is left alone to find out.
  auto whole = Clock::duration::zero();
  for (int round = 0; round < 200; ++round) {
    const std::string name = "file" + std::to_string(finished);
    int answer[2] = {};
    ASSERT_EQ(::pipe2(answer, O_CLOEXEC), 0);
    const auto began = Clock::now();
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      char word = 'y';
      try {
        start({.sync_every_bytes = 128 * 1024});
        const std::uint64_t offset = offset_of(name, content);
        Upload upload = begin(name, content, offset);
        for (std::uint64_t at = offset; at < content.size(); at += 4096) {
          upload.write(as_span(std::string_view(content).substr(at, 4096)));
        }
        upload.commit();
      } catch (...) {
        word = 'n';
      }
      static_cast<void>(!::write(answer[1], &word, 1));
      for (;;) ::pause();
    }
    ::close(answer[1]);
    char word = 0;
    if (round == 0) {
      ASSERT_EQ(::read(answer[0], &word, 1), 1);
      whole = Clock::now() - began;
    } else {
      // From before its first step to well after a commit.
      std::this_thread::sleep_for(whole * (random() % 150) / 100);
    }
    ::kill(child, SIGKILL);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    if (round > 0) static_cast<void>(!::read(answer[0], &word, 1));
    ::close(answer[0]);
    ASSERT_NE(word, 'n') << "the upload failed in round " << round;
    if (fs::exists(home() / name)) {
      ASSERT_EQ(fs::file_size(home() / name), content.size()) << round;
      ASSERT_EQ(hash_of(read_whole(home() / name)), hash) << round;
      ++finished;
      continue;
    }
    ASSERT_EQ(word, 0) << "acknowledged and not there in round " << round;
    if (staged() == 0) continue;
    for (const auto& entry : fs::directory_iterator(root_ / "staging" / "anna")) {
      if (entry.path().extension() == ".synced") continue;
      const std::string part = read_whole(entry.path());
      ASSERT_EQ(part, content.substr(0, part.size())) << round;
      if (!part.empty()) ++resumed;
    }
  }
  start();
  const std::string name = "file" + std::to_string(finished);
  send_rest(name, content, offset_of(name, content));
  EXPECT_EQ(hash_of(read_whole(home() / name)), hash);
  EXPECT_GT(resumed, 0);
  EXPECT_GT(finished, 0);
}

// A file system of 1 MiB in a mount namespace of our own: for root, and for others where user namespaces are allowed.
// Where neither is, a limit on the size of files plays the full disk. Runs in a child, which may do all that.
TEST_F(UploadTest, a_full_disk_is_said_and_leaves_nothing_half) {
  stop();
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const std::string small = root_ / "small";
    fs::create_directory(small);
    const std::string uid = std::to_string(::geteuid());
    const std::string gid = std::to_string(::getegid());
    bool own_namespace = ::unshare(CLONE_NEWNS) == 0;
    if (!own_namespace && ::unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0) {
      // Without these we would be nobody, and could make no file (user_namespaces(7)).
      write_whole("/proc/self/setgroups", "deny");
      write_whole("/proc/self/uid_map", uid + " " + uid + " 1");
      write_whole("/proc/self/gid_map", gid + " " + gid + " 1");
      own_namespace = true;
    }
    const bool mounted = own_namespace && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                         ::mount("tmpfs", small.c_str(), "tmpfs", 0, "size=1m") == 0;
    if (!mounted) {
      ::signal(SIGXFSZ, SIG_IGN);
      const rlimit limit{1 << 20, 1 << 20};
      ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    const auto store = open_store(root_ / "small.db");
    Audit audit(*store);
    Files files(small, *store, audit);
    const std::string big = random_bytes(2 << 20);
    const UploadRequest request{.path = path("big"), .total = big.size(), .hash = hash_of(big)};
    const auto expected = mounted ? ErrorCode::no_space : ErrorCode::too_large;
    // Early, where the file system says how much is free; else at the write that no longer fits.
    const auto early = code_of([&] {
      Upload upload = files.begin_upload(anna_, request);
      upload.write(as_span(big));
    });
    if (early != expected) ::_exit(10);
    // Two that fit alone and not together.
    const std::string half = random_bytes(700 << 10);
    const UploadRequest one{.path = path("one"), .total = half.size(), .hash = hash_of(half)};
    const UploadRequest two{.path = path("two"), .total = half.size(), .hash = hash_of(half)};
    if (mounted) {
      Upload first = files.begin_upload(anna_, one);
      Upload second = files.begin_upload(anna_, two);
      first.write(as_span(half));
      if (code_of([&] { second.write(as_span(half)); }) != ErrorCode::no_space) ::_exit(11);
      first.commit();
      if (read_whole(small + "/homes/anna/one") != half) ::_exit(12);
      if (files.upload_offset(anna_, path("two"), 1000, std::nullopt) != 0) ::_exit(13);
    }
    if (fs::exists(small + "/homes/anna/big") || fs::exists(small + "/homes/anna/two")) ::_exit(14);
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace hawser::hub
