#include "hub/service/audit.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "temporary_root.h"

namespace hawser::hub {
namespace {

constexpr const char* kHere = "127.0.0.1:5000";

class AuditTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = make_temporary_folder();
    store_ = open_store(root_ / "hub.db");
    audit_ = std::make_unique<Audit>(*store_, [this] { return now_; });
  }
  void TearDown() override {
    audit_.reset();
    store_.reset();
    std::filesystem::remove_all(root_);
  }

  void refuse(const std::string& source = kHere, const std::string& user = "anna", const std::string& action = "login",
              ErrorCode code = ErrorCode::rate_limited, const std::string& object = "") {
    audit_->record_refusal(user, source, action, object, code, "no");
  }
  [[nodiscard]] std::size_t written() { return store_->audit(100'000).size(); }
  [[nodiscard]] AuditLine newest() { return store_->audit(1).at(0); }

  std::filesystem::path root_;
  std::int64_t now_ = 1'000'000'020;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Audit> audit_;
};

TEST_F(AuditTest, a_refusal_that_repeats_is_told_once_and_then_counted) {
  refuse();
  EXPECT_EQ(newest().result, "no");
  now_ += 1;
  for (int n = 0; n < 1000; ++n) refuse();
  now_ += 58;
  refuse();
  audit_->write_counts();
  EXPECT_EQ(written(), 1U) << "the minute is not over";
  now_ += 1;
  audit_->write_counts();
  ASSERT_EQ(written(), 2U);
  EXPECT_EQ(newest().result, "no (1001 more, from 2001-09-09T01:47:01Z to 2001-09-09T01:47:59Z)");
  EXPECT_EQ(newest().at, 1'000'000'079);
  EXPECT_EQ(newest().user, "anna");
  EXPECT_EQ(newest().source, kHere);
  audit_->write_counts();
  EXPECT_EQ(written(), 2U);
}

TEST_F(AuditTest, the_next_minute_begins_with_a_line_of_its_own) {
  for (int n = 0; n < 3; ++n) refuse();
  now_ += 60;
  refuse();
  EXPECT_EQ(written(), 3U);
  EXPECT_EQ(newest().result, "no");
  now_ -= 3600;  // a clock that was set back
  refuse();
  EXPECT_EQ(written(), 4U);
}

TEST_F(AuditTest, one_alone_is_not_counted) {
  refuse();
  now_ += 60;
  audit_->write_counts();
  EXPECT_EQ(written(), 1U);
}

TEST_F(AuditTest, kinds_and_addresses_are_told_apart) {
  refuse();
  refuse("127.0.0.2:5000");
  refuse(kHere, "anna", "register");
  refuse(kHere, "anna", "login", ErrorCode::busy);
  EXPECT_EQ(written(), 4U);
  refuse("127.0.0.1:6000", "bert");
  EXPECT_EQ(written(), 4U);
  for (const char* source : {"[2001:db8::1]:5000", "[2001:db8::2]:5000", "[2001:db8::ffff:1]:6000"}) refuse(source);
  EXPECT_EQ(written(), 5U);
}

TEST_F(AuditTest, a_count_tells_only_what_was_the_same_each_time) {
  refuse();
  refuse("127.0.0.1:5001", "anna", "login", ErrorCode::rate_limited, "a");
  refuse("127.0.0.1:5002", "bert", "login", ErrorCode::rate_limited, "b");
  audit_->write_all_counts();
  EXPECT_EQ(newest().user, "(several)");
  EXPECT_EQ(newest().source, "127.0.0.1");
  EXPECT_EQ(newest().object, "");
}

TEST_F(AuditTest, what_was_counted_is_written_at_the_end) {
  for (int n = 0; n < 5; ++n) refuse();
  audit_.reset();
  EXPECT_EQ(written(), 2U);
  EXPECT_TRUE(newest().result.starts_with("no (4 more, ")) << newest().result;
}

TEST_F(AuditTest, more_addresses_than_are_kept_share_one_count) {
  constexpr int kMost = static_cast<int>(RefusalCounts::kMostKinds);
  for (int n = 0; n < 2 * kMost; ++n) refuse("10.0." + std::to_string(n / 250) + "." + std::to_string(n % 250) + ":1");
  EXPECT_EQ(written(), RefusalCounts::kMostKinds + 1);
  audit_->write_all_counts();
  EXPECT_EQ(newest().source, "(many addresses)");
  EXPECT_TRUE(newest().result.starts_with("no (1023 more, ")) << newest().result;
  refuse();
  EXPECT_EQ(newest().source, kHere) << "there is room again";
}

TEST_F(AuditTest, what_was_done_has_a_line_each) {
  for (int n = 0; n < 10; ++n) audit_->record("anna", kHere, "login", "", "ok");
  for (int n = 0; n < 10; ++n) audit_->record_change("anna", kHere, "put", "a", "ok");
  EXPECT_EQ(written(), 20U);
}

TEST_F(AuditTest, none_is_forgotten_when_many_threads_are_refused) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int n = 0; n < 1000; ++n) refuse();
    });
  }
  for (auto& thread : threads) thread.join();
  audit_->write_all_counts();
  EXPECT_EQ(written(), 2U);
  EXPECT_TRUE(newest().result.starts_with("no (3999 more, ")) << newest().result;
}

}  // namespace
}  // namespace hawser::hub
