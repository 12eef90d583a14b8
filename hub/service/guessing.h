// GuessLimit: slows down who tries passwords or invites.
//
//   GuessLimit::Attempt attempt(limit, user, source);   // may be refused
//   if (right) attempt.succeeded(); else attempt.failed();
//
// Failures count against the user and against the source address (of IPv6, the /64: source_address.h). From the sixth
// in a row (the thirtieth, for an address, behind which many users may sit) the next attempt must wait 1, 2, 4 ...
// seconds, from the tenth (the thirty-fifth) 15 minutes; attempts made too early are refused unseen and do not count.
// Once attempts have to wait, only one may be under way at a time, so trying side by side gains nothing. A success
// clears the user and leaves the address alone. An invite that is tried has no user: it counts against the address.
// What lies an hour back is forgotten. Kept in the store: a restart forgives nothing.
//
// Any thread; blocks on the disk.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "hub/store/store.h"

namespace hawser::hub {

class GuessLimit {
 public:
  // One look at a password or an invite. Without a verdict it counts for nothing.
  class Attempt {
   public:
    // Throws ServiceError(rate_limited), naming the seconds left.
    Attempt(GuessLimit& limit, std::string_view user, std::string_view source);
    // By nobody yet.
    Attempt(GuessLimit& limit, std::string_view source);
    Attempt(const Attempt&) = delete;
    Attempt& operator=(const Attempt&) = delete;
    ~Attempt();
    void failed();
    void succeeded();

   private:
    void begin();
    GuessLimit& limit_;
    std::optional<std::string> by_user_;  // keys in the store
    std::string by_source_;
  };

  GuessLimit(Store& store, std::function<std::int64_t()> now);

 private:
  struct Rule;
  [[nodiscard]] FailureRecord current(const std::string& key, std::int64_t now);
  void check(const std::string& key, const Rule& rule, std::int64_t now);
  void leave(const std::string& key) noexcept;
  Store& store_;
  std::function<std::int64_t()> now_;
  std::mutex mutex_;
  std::map<std::string, int, std::less<>> under_way_;
};

}  // namespace hawser::hub
