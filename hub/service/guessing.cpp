#include "hub/service/guessing.h"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "hub/service/error.h"
#include "hub/service/secret.h"
#include "hub/service/source_address.h"

namespace hawser::hub {

struct GuessLimit::Rule {
  std::int64_t free;   // failures that cost nothing
  std::int64_t locks;  // failures from which on it is locked

  static constexpr Rule for_user() { return {.free = 5, .locks = 10}; }
  static constexpr Rule for_source() { return {.free = 29, .locks = 35}; }
};

namespace {

constexpr std::int64_t kForgetAfter = 3600;
constexpr std::int64_t kLock = 15 * 60;

// Names differ in more than case, as in the store. Digested, since people type passwords where names go.
std::string user_key(std::string_view user) {
  std::string folded(user);
  for (char& c : folded) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  SecretHash digest{};
  crypto_hash_sha256(reinterpret_cast<unsigned char*>(digest.data()),
                     reinterpret_cast<const unsigned char*>(folded.data()), folded.size());
  std::string key = "user:";
  for (const std::byte byte : digest) key += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
  wipe(folded);
  return key;
}

std::string source_key(std::string_view source) { return fmt::format("from:{}", address_of(source)); }

[[noreturn]] void refuse(std::int64_t seconds) {
  throw ServiceError(ErrorCode::rate_limited, fmt::format("too many failed attempts, try again in {} s", seconds));
}

}  // namespace

GuessLimit::GuessLimit(Store& store, std::function<std::int64_t()> now) : store_(store), now_(std::move(now)) {}

FailureRecord GuessLimit::current(const std::string& key, std::int64_t now) {
  const auto record = store_.find_failures(key);
  return record && now - record->last < kForgetAfter ? *record : FailureRecord{};
}

void GuessLimit::check(const std::string& key, const Rule& rule, std::int64_t now) {
  const FailureRecord record = current(key, now);
  if (record.count <= rule.free) return;
  const std::int64_t wait = record.count >= rule.locks ? kLock : std::int64_t{1} << (record.count - rule.free - 1);
  // A clock that was set back must not prolong the lock.
  const std::int64_t left = std::min(record.last + wait - now, wait);
  if (left > 0) refuse(left);
  if (under_way_.contains(key)) refuse(1);
}

void GuessLimit::leave(const std::string& key) noexcept {
  const auto found = under_way_.find(key);
  if (--found->second == 0) under_way_.erase(found);
}

GuessLimit::Attempt::Attempt(GuessLimit& limit, std::string_view user, std::string_view source)
    : limit_(limit), by_user_(user_key(user)), by_source_(source_key(source)) {
  begin();
}

GuessLimit::Attempt::Attempt(GuessLimit& limit, std::string_view source)
    : limit_(limit), by_source_(source_key(source)) {
  begin();
}

void GuessLimit::Attempt::begin() {
  const std::lock_guard hold(limit_.mutex_);
  const std::int64_t now = limit_.now_();
  if (by_user_) limit_.check(*by_user_, Rule::for_user(), now);
  limit_.check(by_source_, Rule::for_source(), now);
  if (by_user_) ++limit_.under_way_[*by_user_];
  ++limit_.under_way_[by_source_];
}

GuessLimit::Attempt::~Attempt() {
  const std::lock_guard hold(limit_.mutex_);
  if (by_user_) limit_.leave(*by_user_);
  limit_.leave(by_source_);
}

void GuessLimit::Attempt::failed() {
  const std::lock_guard hold(limit_.mutex_);
  const std::int64_t now = limit_.now_();
  const auto count = [&](const std::string& key) {
    limit_.store_.set_failures(key, {.count = limit_.current(key, now).count + 1, .last = now});
  };
  if (by_user_) count(*by_user_);
  count(by_source_);
}

void GuessLimit::Attempt::succeeded() {
  const std::lock_guard hold(limit_.mutex_);
  if (by_user_ && limit_.store_.find_failures(*by_user_)) limit_.store_.clear_failures(*by_user_);
}

}  // namespace hawser::hub
