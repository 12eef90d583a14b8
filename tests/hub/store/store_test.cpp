#include "hub/store/store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

namespace hawser::hub {
namespace {

namespace fs = std::filesystem;

SecretHash secret(int n) {
  SecretHash hash{};
  hash[0] = static_cast<std::byte>(n);
  hash[1] = static_cast<std::byte>(n >> 8);
  return hash;
}

class StoreTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "hawser-store-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    reopen();
  }
  void TearDown() override {
    store_.reset();
    fs::remove_all(folder_);
  }

  void reopen() {
    store_.reset();
    store_ = open_store(file());
  }
  [[nodiscard]] fs::path file() const { return folder_ / "hub.db"; }

  std::int64_t add_user(const std::string& name, Role role = Role::member) {
    UserRecord user{.name = name, .password_hash = "hash", .role = role, .created = 1};
    EXPECT_EQ(store_->create_user(user, nullptr, 1000), CreateUser::done);
    return user.id;
  }

  fs::path folder_;
  std::unique_ptr<Store> store_;
};

TEST_F(StoreTest, a_user_is_found_by_name_in_any_case_and_by_id) {
  const auto id = add_user("Anna");
  ASSERT_TRUE(store_->find_user("aNNa"));
  EXPECT_EQ(store_->find_user("anna")->name, "Anna");
  EXPECT_EQ(store_->find_user(id)->password_hash, "hash");
  EXPECT_FALSE(store_->find_user("bert"));
  EXPECT_FALSE(store_->find_user(id + 1));
}

TEST_F(StoreTest, a_name_is_taken_in_any_case) {
  add_user("anna");
  UserRecord again{.name = "ANNA", .password_hash = "other"};
  EXPECT_EQ(store_->create_user(again, nullptr, 1000), CreateUser::name_taken);
  EXPECT_EQ(store_->find_user("anna")->password_hash, "hash");
}

TEST_F(StoreTest, the_number_of_users_is_limited) {
  add_user("anna");
  UserRecord user{.name = "bert", .password_hash = "x"};
  EXPECT_EQ(store_->create_user(user, nullptr, 1), CreateUser::too_many_users);
}

TEST_F(StoreTest, an_invite_is_spent_once_and_gives_its_role) {
  store_->add_invite(secret(1), {.role = Role::admin, .created = 0, .expires = 100, .creator = 0});
  const SecretHash invite = secret(1);
  UserRecord anna{.name = "anna", .password_hash = "x", .created = 50};
  EXPECT_EQ(store_->create_user(anna, &invite, 1000), CreateUser::done);
  EXPECT_EQ(store_->find_user("anna")->role, Role::admin);
  EXPECT_TRUE(store_->has_admin());
  UserRecord bert{.name = "bert", .password_hash = "x", .created = 50};
  EXPECT_EQ(store_->create_user(bert, &invite, 1000), CreateUser::invite_unknown);
  EXPECT_FALSE(store_->find_user("bert"));
}

TEST_F(StoreTest, an_invite_survives_a_name_that_is_taken) {
  add_user("anna");
  store_->add_invite(secret(1), {.role = Role::member, .created = 0, .expires = 100, .creator = 1});
  const SecretHash invite = secret(1);
  UserRecord anna{.name = "anna", .password_hash = "x", .created = 50};
  EXPECT_EQ(store_->create_user(anna, &invite, 1000), CreateUser::name_taken);
  UserRecord bert{.name = "bert", .password_hash = "x", .created = 50};
  EXPECT_EQ(store_->create_user(bert, &invite, 1000), CreateUser::done);
}

TEST_F(StoreTest, an_invite_expires) {
  store_->add_invite(secret(1), {.role = Role::member, .created = 0, .expires = 100, .creator = 1});
  const SecretHash invite = secret(1);
  UserRecord anna{.name = "anna", .password_hash = "x", .created = 100};
  EXPECT_EQ(store_->create_user(anna, &invite, 1000), CreateUser::invite_unknown);
}

TEST_F(StoreTest, an_invite_can_be_looked_at_without_being_spent) {
  store_->add_invite(secret(1), {.role = Role::member, .created = 0, .expires = 100, .creator = 1});
  EXPECT_TRUE(store_->has_invite(secret(1), 99));
  EXPECT_TRUE(store_->has_invite(secret(1), 99));
  EXPECT_FALSE(store_->has_invite(secret(1), 100));
  EXPECT_FALSE(store_->has_invite(secret(2), 99));
}

TEST_F(StoreTest, the_hubs_own_invites_can_be_withdrawn) {
  store_->add_invite(secret(1), {.role = Role::admin, .created = 0, .expires = 100, .creator = 0});
  store_->add_invite(secret(2), {.role = Role::admin, .created = 0, .expires = 100, .creator = 7});
  store_->remove_hub_invites();
  const SecretHash own = secret(1);
  const SecretHash other = secret(2);
  UserRecord anna{.name = "anna", .password_hash = "x", .created = 50};
  EXPECT_EQ(store_->create_user(anna, &own, 1000), CreateUser::invite_unknown);
  EXPECT_EQ(store_->create_user(anna, &other, 1000), CreateUser::done);
}

TEST_F(StoreTest, a_new_password_ends_all_sessions_but_one) {
  const auto user = add_user("anna");
  const auto kept = store_->add_session(secret(1), user, 0, 100, 10);
  store_->add_session(secret(2), user, 0, 100, 10);
  store_->set_password(user, "new", kept);
  EXPECT_TRUE(store_->find_session(secret(1)));
  EXPECT_FALSE(store_->find_session(secret(2)));
  EXPECT_EQ(store_->find_user(user)->password_hash, "new");
}

TEST_F(StoreTest, a_user_keeps_only_the_newest_sessions) {
  const auto user = add_user("anna");
  const auto other = add_user("bert");
  store_->add_session(secret(100), other, 0, 100, 2);
  for (int n = 1; n <= 4; ++n) store_->add_session(secret(n), user, 0, 100, 2);
  EXPECT_FALSE(store_->find_session(secret(2)));
  EXPECT_TRUE(store_->find_session(secret(3)));
  EXPECT_TRUE(store_->find_session(secret(4)));
  EXPECT_TRUE(store_->find_session(secret(100)));
}

TEST_F(StoreTest, sessions_are_extended_removed_and_cleaned_up) {
  const auto user = add_user("anna");
  const auto first = store_->add_session(secret(1), user, 0, 100, 10);
  const auto second = store_->add_session(secret(2), user, 0, 100, 10);
  store_->extend_session(first, 200);
  store_->clean_up(150);
  EXPECT_EQ(store_->find_session(first)->expires, 200);
  EXPECT_FALSE(store_->find_session(second));
  EXPECT_TRUE(store_->remove_session(first));
  EXPECT_FALSE(store_->remove_session(first));
}

TEST_F(StoreTest, roles_and_quotas_are_kept) {
  const auto user = add_user("anna");
  EXPECT_FALSE(store_->has_admin());
  EXPECT_TRUE(store_->set_role(user, Role::admin));
  EXPECT_TRUE(store_->set_quota(user, 5'000'000'000));
  reopen();
  EXPECT_TRUE(store_->has_admin());
  EXPECT_EQ(store_->find_user(user)->quota_bytes, 5'000'000'000);
  EXPECT_TRUE(store_->set_quota(user, std::nullopt));
  EXPECT_EQ(store_->find_user(user)->quota_bytes, std::nullopt);
  EXPECT_FALSE(store_->set_role(user + 1, Role::admin));
}

TEST_F(StoreTest, users_are_listed_by_name_in_pages) {
  for (const char* name : {"dora", "anna", "carl", "bert"}) add_user(name);
  const auto first = store_->users("", 2);
  ASSERT_EQ(first.size(), 2U);
  EXPECT_EQ(first[1].name, "bert");
  const auto rest = store_->users(first[1].name, 10);
  ASSERT_EQ(rest.size(), 2U);
  EXPECT_EQ(rest[0].name, "carl");
}

TEST_F(StoreTest, failures_are_kept_until_cleared) {
  EXPECT_FALSE(store_->find_failures("user:anna"));
  store_->set_failures("user:anna", {.count = 3, .last = 10});
  store_->set_failures("user:anna", {.count = 4, .last = 11});
  reopen();
  ASSERT_TRUE(store_->find_failures("user:anna"));
  EXPECT_EQ(store_->find_failures("user:anna")->count, 4);
  store_->clear_failures("user:anna");
  EXPECT_FALSE(store_->find_failures("user:anna"));
}

TEST_F(StoreTest, a_hash_is_known_only_for_the_very_same_version_of_a_file) {
  const FileVersion version{.device = 1, .inode = ~0ULL, .size = 3, .mtime_ns = 4, .ctime_ns = 5};
  store_->remember_hash(version, "md5", "abc");
  for (const bool written : {false, true}) {
    if (written) store_->flush();
    EXPECT_EQ(store_->find_hash(version, "md5"), "abc");
    EXPECT_FALSE(store_->find_hash(version, "sha256"));
    auto changed = version;
    changed.ctime_ns = 6;
    EXPECT_FALSE(store_->find_hash(changed, "md5"));
    changed = version;
    changed.size = 7;
    EXPECT_FALSE(store_->find_hash(changed, "md5"));
  }
  auto later = version;
  later.mtime_ns = 9;
  store_->remember_hash(later, "md5", "def");
  EXPECT_FALSE(store_->find_hash(version, "md5"));
  EXPECT_EQ(store_->find_hash(later, "md5"), "def");
}

TEST_F(StoreTest, audit_lines_keep_their_order_and_survive_an_orderly_end) {
  for (int n = 0; n < 3; ++n) store_->append_audit({.at = n, .action = "put"}, n == 1);
  reopen();
  const auto lines = store_->audit(10);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0].at, 2);
  EXPECT_EQ(lines[2].at, 0);
}

TEST_F(StoreTest, the_oldest_audit_lines_and_hashes_go_first) {
  store_.reset();
  store_ = open_store(file(), {.max_audit_lines = 2, .max_hashes = 2});
  for (int n = 0; n < 5; ++n) {
    store_->append_audit({.at = n, .action = "put"}, true);
    store_->remember_hash({.inode = static_cast<std::uint64_t>(n)}, "md5", "x");
    store_->flush();
  }
  store_->clean_up(0);
  EXPECT_EQ(store_->audit(10).size(), 2U);
  EXPECT_FALSE(store_->find_hash({.inode = 2}, "md5"));
  EXPECT_TRUE(store_->find_hash({.inode = 3}, "md5"));
}

TEST_F(StoreTest, the_audit_stays_within_its_lines_without_a_clean_up) {
  store_.reset();
  store_ = open_store(file(), {.max_audit_lines = 3});
  for (int n = 0; n < 10; ++n) store_->append_audit({.at = n, .action = "login"}, n % 4 == 0);
  const auto lines = store_->audit(100);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0].at, 9);
  EXPECT_EQ(lines[2].at, 7);
}

TEST_F(StoreTest, the_audit_stays_within_its_bytes_without_a_clean_up_also_after_a_restart) {
  const auto bytes_of = [](const std::vector<AuditLine>& lines) {
    std::size_t bytes = 0;
    for (const AuditLine& line : lines) bytes += line.action.size() + line.object.size();
    return bytes;
  };
  for (int n = 0; n < 30; ++n) store_->append_audit({.at = n, .action = "put", .object = std::string(1000, 'x')}, true);
  store_.reset();
  store_ = open_store(file(), {.max_audit_bytes = 10'000});
  std::string odd(1002, 'x');
  odd.replace(999, 3, {'\0', '\xc3', '\xa4'});
  for (int n = 30; n < 60; ++n) {
    const std::string object = n % 2 == 0 ? "short" : odd;
    store_->append_audit({.at = n, .action = "put", .object = object}, true);
    const auto lines = store_->audit(100);
    EXPECT_LE(bytes_of(lines), 10'000U);
    EXPECT_GE(bytes_of(lines), 8'000U) << "no more than needed goes";
    EXPECT_EQ(lines[0].at, n);
  }
}

TEST_F(StoreTest, many_threads_use_one_store) {
  const auto user = add_user("anna");
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int n = 0; n < 20; ++n) {
        store_->add_session(secret(t * 20 + n), user, 0, 100, 1000);
        store_->append_audit({.at = n, .action = "login"}, n % 10 == 0);
        store_->remember_hash({.inode = static_cast<std::uint64_t>(t * 20 + n)}, "md5", "x");
        EXPECT_TRUE(store_->find_user("anna"));
      }
    });
  }
  for (auto& thread : threads) thread.join();
  for (int n = 0; n < 80; ++n) EXPECT_TRUE(store_->find_session(secret(n))) << n;
  EXPECT_EQ(store_->audit(1000).size(), 80U);
}

TEST_F(StoreTest, what_was_acknowledged_survives_a_kill) {
  store_.reset();
  std::vector<int> pipe_ends(2);
  ASSERT_EQ(::pipe(pipe_ends.data()), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const auto store = open_store(file());
    for (int n = 0;; ++n) {
      UserRecord user{.name = "user" + std::to_string(n), .password_hash = "x"};
      if (store->create_user(user, nullptr, 1'000'000) != CreateUser::done) ::_exit(1);
      store->append_audit({.at = n, .action = "register"}, true);
      if (::write(pipe_ends[1], &n, sizeof n) != sizeof n) ::_exit(1);
    }
  }
  ::close(pipe_ends[1]);
  int acknowledged = -1;
  while (acknowledged < 20) ASSERT_EQ(::read(pipe_ends[0], &acknowledged, sizeof acknowledged), sizeof acknowledged);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  for (int n = 0; ::read(pipe_ends[0], &n, sizeof n) == sizeof n;) acknowledged = n;
  ::close(pipe_ends[0]);
  reopen();
  for (int n = 0; n <= acknowledged; ++n) EXPECT_TRUE(store_->find_user("user" + std::to_string(n))) << n;
  const auto lines = store_->audit(10'000);
  EXPECT_GE(lines.size(), static_cast<std::size_t>(acknowledged) + 1);
}

TEST_F(StoreTest, the_database_is_for_its_owner_alone) {
  for (const char* name : {"hub.db", "hub.db-wal", "hub.db-shm"}) {
    struct stat status {};
    ASSERT_EQ(::stat((folder_ / name).c_str(), &status), 0) << name;
    EXPECT_EQ(status.st_mode & 0777, 0600U) << name;
  }
}

TEST_F(StoreTest, what_is_no_database_is_refused_by_name) {
  const auto other = folder_ / "other.db";
  std::ofstream(other) << std::string(4096, 'x');
  try {
    static_cast<void>(open_store(other));
    FAIL() << "opened";
  } catch (const StoreError& error) {
    EXPECT_NE(std::string(error.what()).find("other.db"), std::string::npos) << error.what();
  }
  EXPECT_THROW(static_cast<void>(open_store(folder_ / "none" / "hub.db")), StoreError);
}

}  // namespace
}  // namespace hawser::hub
