#include "hub/service/accounts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <thread>
#include <vector>

#include "hub/service/password.h"
#include "temporary_root.h"

namespace hawser::hub {
namespace {

constexpr const char* kHere = "127.0.0.1:5000";
constexpr const char* kElsewhere = "10.0.0.9:5000";

class AccountsTest : public testing::Test {
 protected:
  void SetUp() override {
    root_ = make_temporary_folder();
    start();
  }
  void TearDown() override {
    stop();
    std::filesystem::remove_all(root_);
  }

  void start(bool open_registration = true) {
    store_ = open_store(root_ / "hub.db");
    audit_ = std::make_unique<Audit>(*store_);
    AccountOptions options;
    options.open_registration = open_registration;
    options.hash_memory_bytes = 8192;
    options.hash_passes = 1;
    options.now = [this] { return now_; };
    accounts_ = std::make_unique<Accounts>(*store_, *audit_, options);
  }
  void stop() {
    accounts_.reset();
    audit_.reset();
    store_.reset();
  }

  std::optional<ErrorCode> register_user(std::string_view user, std::string_view password = "correct horse",
                                         std::string_view invite = "") {
    return code_of([&] { accounts_->register_user(user, password, invite, kHere); });
  }
  std::optional<ErrorCode> try_login(std::string_view user, std::string_view password, const char* from = kHere) {
    return code_of([&] { static_cast<void>(accounts_->login(user, password, from)); }, &message_);
  }
  std::optional<ErrorCode> try_resume(const SignedIn& signed_in) {
    return code_of([&] { static_cast<void>(accounts_->resume(signed_in.token.view(), kHere)); });
  }
  SignedIn login(std::string_view user = "anna", std::string_view password = "correct horse") {
    return accounts_->login(user, password, kHere);
  }
  SignedIn admin() {
    accounts_->register_user("root", "correct horse", accounts_->first_admin_invite()->view(), kHere);
    return login("root");
  }

  std::filesystem::path root_;
  std::int64_t now_ = 1'000'000;
  std::string message_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Audit> audit_;
  std::unique_ptr<Accounts> accounts_;
};

TEST_F(AccountsTest, who_registered_can_sign_in_and_resume) {
  EXPECT_EQ(register_user("anna"), std::nullopt);
  const SignedIn in = login();
  EXPECT_EQ(in.session.user, "anna");
  EXPECT_EQ(in.session.role, Role::member);
  EXPECT_EQ(in.token.view().size(), 64U);
  EXPECT_GT(in.session.expires, now_);
  const Session again = accounts_->resume(in.token.view(), kElsewhere);
  EXPECT_EQ(again.user_id, in.session.user_id);
  EXPECT_EQ(again.source, kElsewhere);
}

TEST_F(AccountsTest, a_name_signs_in_whatever_its_case) {
  register_user("Anna");
  EXPECT_EQ(login("aNNa").session.user, "Anna");
  EXPECT_EQ(register_user("anna"), ErrorCode::exists);
}

TEST_F(AccountsTest, wrong_names_and_passwords_get_the_same_words) {
  register_user("anna");
  EXPECT_EQ(try_login("anna", "wrong password"), ErrorCode::unauthenticated);
  const std::string first = message_;
  EXPECT_EQ(try_login("nobody", "wrong password"), ErrorCode::unauthenticated);
  EXPECT_EQ(message_, first);
  EXPECT_EQ(try_login("", ""), ErrorCode::unauthenticated);
  EXPECT_EQ(try_login("anna", std::string(100'000, 'x')), ErrorCode::unauthenticated);
  EXPECT_EQ(try_login(std::string(100'000, 'x'), "correct horse"), ErrorCode::unauthenticated);
}

TEST_F(AccountsTest, user_names_are_safe_to_use_anywhere) {
  for (const char* name : {"a", "anna.b-c_9", "9lives"}) EXPECT_EQ(register_user(name), std::nullopt) << name;
  for (const char* name : {"", ".", "..", ".hidden", "-rf", "a/b", "a b", "a\nb", "\xc3\xa4", "a:b",
                           "abcdefghijklmnopqrstuvwxyz0123456"}) {
    EXPECT_EQ(register_user(name), ErrorCode::bad_request) << name;
  }
}

TEST_F(AccountsTest, passwords_have_a_least_and_a_most) {
  EXPECT_EQ(register_user("anna", "short"), ErrorCode::bad_request);
  EXPECT_EQ(register_user("anna", std::string(1025, 'x')), ErrorCode::bad_request);
  EXPECT_EQ(register_user("anna", std::string("nul\0inside", 10)), ErrorCode::bad_request);
  EXPECT_EQ(register_user("anna", "\xff\xfe\xff\xfe\xff\xfe\xff\xfe"), ErrorCode::bad_request);
  EXPECT_EQ(register_user("annabella", "annabella"), ErrorCode::bad_request);
  EXPECT_EQ(register_user("anna", "密码密码"), std::nullopt);
  EXPECT_NO_THROW(login("anna", "密码密码"));
}

TEST_F(AccountsTest, a_closed_hub_needs_an_invite_that_works_once) {
  stop();
  start(false);
  EXPECT_EQ(register_user("bert"), ErrorCode::forbidden);
  EXPECT_EQ(register_user("bert", "correct horse", "0123456789"), ErrorCode::forbidden);
  const SignedIn boss = admin();
  const Secret invite = accounts_->create_invite(boss.session, Role::member);
  EXPECT_EQ(register_user("bert", "correct horse", invite.view()), std::nullopt);
  EXPECT_EQ(register_user("carl", "correct horse", invite.view()), ErrorCode::forbidden);
  EXPECT_EQ(login("bert").session.role, Role::member);
}

TEST_F(AccountsTest, a_wrong_invite_learns_nothing_about_names) {
  const SignedIn boss = admin();
  stop();
  start(false);
  const std::string wrong(32, '0');
  for (const char* name : {"root", "free", "..", ""}) {
    EXPECT_EQ(register_user(name, "correct horse", wrong), ErrorCode::forbidden) << name;
  }
  EXPECT_EQ(register_user("root", "correct horse", accounts_->create_invite(boss.session, Role::member).view()),
            ErrorCode::exists);
}

TEST_F(AccountsTest, an_address_that_tries_many_invites_is_slowed) {
  const SignedIn boss = admin();
  const Secret invite = accounts_->create_invite(boss.session, Role::member);
  for (int n = 0; n < 30; ++n) {
    EXPECT_EQ(register_user("bert", "correct horse", "made up " + std::to_string(n)), ErrorCode::forbidden) << n;
  }
  EXPECT_EQ(register_user("bert", "correct horse", invite.view()), ErrorCode::rate_limited);
  EXPECT_EQ(code_of([&] { accounts_->register_user("bert", "correct horse", invite.view(), kElsewhere); }),
            std::nullopt);
}

TEST_F(AccountsTest, an_invite_expires) {
  const SignedIn boss = admin();
  const Secret invite = accounts_->create_invite(boss.session, Role::member);
  now_ += 8 * 24 * 3600;
  EXPECT_EQ(register_user("bert", "correct horse", invite.view()), ErrorCode::forbidden);
}

TEST_F(AccountsTest, the_first_admin_comes_by_the_hubs_own_invite_of_which_only_the_last_counts) {
  const auto first = accounts_->first_admin_invite();
  const auto second = accounts_->first_admin_invite();
  ASSERT_TRUE(first && second);
  EXPECT_EQ(register_user("mallory", "correct horse", first->view()), ErrorCode::forbidden);
  EXPECT_EQ(register_user("root", "correct horse", second->view()), std::nullopt);
  EXPECT_EQ(login("root").session.role, Role::admin);
  EXPECT_FALSE(accounts_->first_admin_invite());
}

TEST_F(AccountsTest, only_admins_do_what_admins_do) {
  register_user("anna");
  const SignedIn anna = login();
  EXPECT_EQ(code_of([&] { static_cast<void>(accounts_->create_invite(anna.session, Role::admin)); }),
            ErrorCode::forbidden);
  EXPECT_EQ(code_of([&] { accounts_->set_role(anna.session, "anna", Role::admin); }), ErrorCode::forbidden);
  EXPECT_EQ(code_of([&] { accounts_->set_quota(anna.session, "anna", 1); }), ErrorCode::forbidden);
  EXPECT_EQ(code_of([&] { static_cast<void>(accounts_->users(anna.session, "", 10)); }), ErrorCode::forbidden);
}

TEST_F(AccountsTest, a_role_given_reaches_sessions_that_exist) {
  register_user("anna");
  SignedIn anna = login();
  const SignedIn boss = admin();
  EXPECT_TRUE(accounts_->is_current(boss.session));
  accounts_->set_role(boss.session, "anna", Role::admin);
  accounts_->set_quota(boss.session, "anna", 1000);
  EXPECT_FALSE(accounts_->is_current(anna.session));
  accounts_->refresh(anna.session);
  EXPECT_TRUE(accounts_->is_current(anna.session));
  EXPECT_EQ(anna.session.role, Role::admin);
  EXPECT_EQ(anna.session.quota_bytes, 1000U);
  EXPECT_EQ(code_of([&] { accounts_->set_role(boss.session, "nobody", Role::admin); }), ErrorCode::not_found);
}

TEST_F(AccountsTest, logging_out_kills_the_token_on_every_connection) {
  register_user("anna");
  const SignedIn in = login();
  Session other = accounts_->resume(in.token.view(), kElsewhere);
  const SignedIn unrelated = login();
  accounts_->logout(in.session);
  EXPECT_EQ(try_resume(in), ErrorCode::unauthenticated);
  EXPECT_FALSE(accounts_->is_current(other));
  EXPECT_EQ(code_of([&] { accounts_->refresh(other); }), ErrorCode::unauthenticated);
  EXPECT_EQ(try_resume(unrelated), std::nullopt);
}

TEST_F(AccountsTest, a_new_password_kills_all_other_tokens) {
  register_user("anna");
  const SignedIn mine = login();
  const SignedIn other = login();
  EXPECT_EQ(code_of([&] { accounts_->change_password(mine.session, "wrong", "battery staple"); }),
            ErrorCode::forbidden);
  EXPECT_EQ(code_of([&] { accounts_->change_password(mine.session, "correct horse", "x"); }), ErrorCode::bad_request);
  EXPECT_EQ(try_resume(other), std::nullopt);
  accounts_->change_password(mine.session, "correct horse", "battery staple");
  EXPECT_EQ(try_resume(mine), std::nullopt);
  EXPECT_EQ(try_resume(other), ErrorCode::unauthenticated);
  EXPECT_EQ(try_login("anna", "correct horse"), ErrorCode::unauthenticated);
  EXPECT_EQ(try_login("anna", "battery staple"), std::nullopt);
}

TEST_F(AccountsTest, a_session_lasts_from_its_last_use_but_not_for_ever) {
  register_user("anna");
  const SignedIn in = login();
  constexpr std::int64_t kDay = 24 * 3600;
  now_ += 29 * kDay;
  EXPECT_TRUE(accounts_->is_current(in.session));
  EXPECT_EQ(try_resume(in), std::nullopt);
  now_ += 29 * kDay;
  EXPECT_FALSE(accounts_->is_current(in.session));
  EXPECT_EQ(try_resume(in), std::nullopt);
  now_ += 31 * kDay;
  EXPECT_EQ(try_resume(in), ErrorCode::unauthenticated);

  const SignedIn busy = login();
  const std::int64_t began = now_;
  while (now_ - began < 360 * kDay) {
    now_ += 20 * kDay;
    if (now_ - began < 365 * kDay) {
      EXPECT_EQ(try_resume(busy), std::nullopt);
    }
  }
  now_ = began + 366 * kDay;
  EXPECT_EQ(try_resume(busy), ErrorCode::unauthenticated);
}

TEST_F(AccountsTest, sessions_and_users_survive_a_restart) {
  register_user("anna");
  const SignedIn in = login();
  stop();
  start();
  EXPECT_EQ(try_resume(in), std::nullopt);
  EXPECT_EQ(try_login("anna", "correct horse"), std::nullopt);
}

TEST_F(AccountsTest, false_tokens_are_refused) {
  register_user("anna");
  const SignedIn in = login();
  for (const std::string& token : {std::string(), std::string(64, '0'), std::string(in.token.view().substr(1)),
                                   std::string(in.token.view()) + "0", std::string(100'000, 'a')}) {
    EXPECT_EQ(code_of([&] { static_cast<void>(accounts_->resume(token, kHere)); }), ErrorCode::unauthenticated);
  }
}

TEST_F(AccountsTest, guessing_is_slowed_and_then_locked) {
  register_user("anna");
  for (int n = 0; n < 6; ++n) EXPECT_EQ(try_login("anna", "wrong password"), ErrorCode::unauthenticated) << n;
  // From now on even the right password must wait: 1, 2, 4, 8 seconds ...
  for (const std::int64_t wait : {1, 2, 4, 8}) {
    EXPECT_EQ(try_login("anna", "correct horse"), ErrorCode::rate_limited);
    EXPECT_NE(message_.find(std::to_string(wait) + " s"), std::string::npos) << message_;
    now_ += wait - 1;
    EXPECT_EQ(try_login("anna", "correct horse"), ErrorCode::rate_limited);
    now_ += 1;
    EXPECT_EQ(try_login("anna", "wrong password"), ErrorCode::unauthenticated);
  }
  // ... and after the tenth failure a quarter of an hour.
  now_ += 14 * 60;
  EXPECT_EQ(try_login("anna", "correct horse"), ErrorCode::rate_limited);
  EXPECT_EQ(try_login("ANNA", "correct horse"), ErrorCode::rate_limited);
  now_ += 60;
  EXPECT_EQ(try_login("anna", "correct horse"), std::nullopt);
  EXPECT_EQ(try_login("anna", "wrong password"), ErrorCode::unauthenticated);
}

TEST_F(AccountsTest, a_lock_survives_a_restart_and_leaves_sessions_and_others_alone) {
  register_user("anna");
  register_user("bert");
  const SignedIn in = login();
  for (int n = 0; n < 6; ++n) static_cast<void>(try_login("anna", "wrong password"));
  stop();
  start();
  EXPECT_EQ(try_login("anna", "correct horse"), ErrorCode::rate_limited);
  EXPECT_EQ(try_resume(in), std::nullopt);
  EXPECT_EQ(try_login("bert", "correct horse"), std::nullopt);
}

TEST_F(AccountsTest, an_address_that_tries_many_names_is_slowed_too) {
  register_user("anna");
  for (int n = 0; n < 30; ++n) {
    EXPECT_EQ(try_login("user" + std::to_string(n), "wrong password"), ErrorCode::unauthenticated);
  }
  EXPECT_EQ(try_login("anna", "correct horse", "127.0.0.1:6000"), ErrorCode::rate_limited);
  EXPECT_EQ(try_login("anna", "correct horse", kElsewhere), std::nullopt);
}

TEST_F(AccountsTest, all_addresses_of_a_64_are_slowed_together) {
  register_user("anna");
  const auto from = [](int network, int host) {
    return "[2001:db8:0:" + std::to_string(network) + "::" + std::to_string(host) + "]:5000";
  };
  for (int n = 0; n < 30; ++n) {
    EXPECT_EQ(try_login("user" + std::to_string(n), "wrong password", from(1, n).c_str()), ErrorCode::unauthenticated);
  }
  EXPECT_EQ(try_login("anna", "correct horse", from(1, 99).c_str()), ErrorCode::rate_limited);
  EXPECT_EQ(try_login("anna", "correct horse", from(2, 1).c_str()), std::nullopt);
}

TEST_F(AccountsTest, an_ipv4_address_is_the_same_on_a_dual_stack_socket) {
  register_user("anna");
  for (int n = 0; n < 30; ++n) {
    EXPECT_EQ(try_login("user" + std::to_string(n), "wrong password", "[::ffff:10.0.0.1]:5000"),
              ErrorCode::unauthenticated);
  }
  EXPECT_EQ(try_login("anna", "correct horse", "10.0.0.1:5000"), ErrorCode::rate_limited);
  EXPECT_EQ(try_login("anna", "correct horse", "[::ffff:10.0.0.2]:5000"), std::nullopt);
}

TEST_F(AccountsTest, failures_are_forgotten_after_an_hour) {
  register_user("anna");
  for (int n = 0; n < 6; ++n) static_cast<void>(try_login("anna", "wrong password"));
  now_ += 3600;
  EXPECT_EQ(try_login("anna", "wrong password"), ErrorCode::unauthenticated);
  EXPECT_EQ(try_login("anna", "correct horse"), std::nullopt);
}

TEST_F(AccountsTest, guessing_the_old_password_is_slowed_as_well) {
  register_user("anna");
  const SignedIn in = login();
  for (int n = 0; n < 6; ++n) {
    EXPECT_EQ(code_of([&] { accounts_->change_password(in.session, "wrong", "battery staple"); }),
              ErrorCode::forbidden);
  }
  EXPECT_EQ(code_of([&] { accounts_->change_password(in.session, "correct horse", "battery staple"); }),
            ErrorCode::rate_limited);
}

TEST_F(AccountsTest, attempts_side_by_side_gain_nothing) {
  register_user("anna");
  for (int n = 0; n < 6; ++n) static_cast<void>(try_login("anna", "wrong password"));
  now_ += 1;
  std::atomic<int> looked_at{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 6; ++t) {
    threads.emplace_back([&] {
      const auto code = code_of([&] { static_cast<void>(accounts_->login("anna", "wrong password", kHere)); });
      if (code == ErrorCode::unauthenticated) ++looked_at;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(looked_at, 1);
}

TEST_F(AccountsTest, no_secret_is_kept_in_the_clear) {
  register_user("anna");
  const SignedIn in = login();
  const SignedIn boss = admin();
  const Secret invite = accounts_->create_invite(boss.session, Role::member);
  static_cast<void>(try_login("anna", "nearly correct horse"));
  static_cast<void>(try_login("nearly correct horse", "oops"));
  stop();
  for (const auto& entry : std::filesystem::directory_iterator(root_)) {
    const std::string content = read_whole(entry.path());
    for (const std::string_view secret :
         {std::string_view("correct horse"), std::string_view(in.token.view()), std::string_view(invite.view())}) {
      EXPECT_EQ(content.find(secret), std::string::npos) << entry.path();
    }
  }
}

TEST_F(AccountsTest, sign_ins_are_written_down) {
  register_user("anna");
  static_cast<void>(login());
  static_cast<void>(try_login("anna", "wrong password"));
  const auto lines = store_->audit(10);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0].action, "login");
  EXPECT_NE(lines[0].result, "ok");
  EXPECT_EQ(lines[1].result, "ok");
  EXPECT_EQ(lines[2].action, "register");
  EXPECT_EQ(lines[1].source, kHere);
}

TEST_F(AccountsTest, refusals_that_cost_nothing_do_not_fill_the_audit) {
  stop();
  start(false);
  const std::string long_invite(300, 'x');
  for (int n = 0; n < 500; ++n) {
    EXPECT_EQ(register_user("user" + std::to_string(n)), ErrorCode::forbidden);
    EXPECT_EQ(register_user("user", "correct horse", long_invite), ErrorCode::forbidden);
  }
  // Two kinds, and a few lines more for each minute that this may take.
  EXPECT_LT(store_->audit(2000).size(), 50U);
  stop();
  start(true);
  for (int n = 0; n < 500; ++n) EXPECT_EQ(register_user("..", "correct horse"), ErrorCode::bad_request);
  EXPECT_LT(store_->audit(2000).size(), 100U);
}

TEST_F(AccountsTest, guesses_are_written_down_one_by_one_and_refused_attempts_counted) {
  register_user("anna");
  register_user("bert");
  const auto lines_of = [&](std::string_view user) {
    const auto lines = store_->audit(5000);
    return std::ranges::count_if(lines,
                                 [&](const AuditLine& line) { return line.action == "login" && line.user == user; });
  };
  for (int n = 0; n < 6; ++n) EXPECT_EQ(try_login("anna", "wrong password"), ErrorCode::unauthenticated);
  for (int n = 0; n < 6; ++n) EXPECT_EQ(try_login("bert", "wrong password"), ErrorCode::unauthenticated);
  EXPECT_EQ(lines_of("anna"), 6);
  EXPECT_EQ(lines_of("bert"), 6);
  for (int n = 0; n < 500; ++n) EXPECT_EQ(try_login("anna", "correct horse"), ErrorCode::rate_limited);
  EXPECT_LT(lines_of("anna"), 50);
  const SignedIn boss = admin();
  for (int n = 0; n < 6; ++n) {
    static_cast<void>(code_of([&] { accounts_->change_password(boss.session, "wrong", "battery staple"); }));
  }
  const auto before = store_->audit(5000).size();
  for (int n = 0; n < 500; ++n) {
    EXPECT_EQ(code_of([&] { accounts_->change_password(boss.session, "wrong", "battery staple"); }),
              ErrorCode::rate_limited);
  }
  EXPECT_LT(store_->audit(5000).size(), before + 50);
}

TEST(password, hashes_at_once_are_bounded) {
  PasswordHasher hasher(8192, 1, 1, 0);
  const std::string hash = hasher.hash("correct horse");
  EXPECT_TRUE(hash.starts_with("$argon2id$"));
  EXPECT_TRUE(hasher.verify(hash, "correct horse"));
  EXPECT_FALSE(hasher.verify(hash, "correct horsE"));
  PasswordHasher slow(32U << 20U, 3, 1, 0);
  std::atomic<int> busy{0};
  std::atomic<int> done{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      while (busy == 0) {
        if (code_of([&] { static_cast<void>(slow.hash("x")); }) == ErrorCode::busy) {
          ++busy;
        } else {
          ++done;
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_GT(busy, 0);
  EXPECT_GT(done, 0);
}

// Keeps `threads` callers asking for hashes for the claimant while it lives.
class Flood {
 public:
  Flood(PasswordHasher& hasher, HashClaimant claimant, int threads) : claimant_(std::move(claimant)) {
    for (int t = 0; t < threads; ++t) {
      threads_.emplace_back([&] {
        while (!over_) {
          if (code_of([&] { static_cast<void>(hasher.hash("x", claimant_)); })) ++refused_;
        }
      });
    }
    while (refused_ == 0) std::this_thread::yield();
  }
  Flood(const Flood&) = delete;
  Flood& operator=(const Flood&) = delete;
  ~Flood() {
    over_ = true;
    for (auto& thread : threads_) thread.join();
  }

 private:
  HashClaimant claimant_;
  std::atomic<bool> over_{false};
  std::atomic<int> refused_{0};
  std::vector<std::thread> threads_;
};

TEST(password, one_address_keeps_no_other_from_its_turn) {
  PasswordHasher hasher(1U << 20U, 3, 2, 6);
  const Flood flood(hasher, {"10.0.0.1", "mallory"}, 9);
  for (int n = 0; n < 20; ++n) EXPECT_NO_THROW(static_cast<void>(hasher.hash("x", {"10.0.0.2", "anna"}))) << n;
}

TEST(password, one_user_keeps_no_other_behind_the_same_address_from_its_turn) {
  PasswordHasher hasher(1U << 20U, 3, 2, 6);
  const Flood flood(hasher, {"10.0.0.1", "mallory"}, 9);
  for (int n = 0; n < 20; ++n) EXPECT_NO_THROW(static_cast<void>(hasher.hash("x", {"10.0.0.1", "anna"}))) << n;
}

}  // namespace
}  // namespace hawser::hub
