// RefusalCounts: keeps refusals that may come as fast as the hub answers from filling the audit.
//
// Of one kind (action and code) from one address, the first gets a line of its own. Those that follow within a minute
// are counted, and get one line together: how many, and the moments of the first and the last. What differs among them
// (user, port, object) is left out of it.
//
// At most kMostKinds are told apart at a time; what is beyond them counts as coming from "(many addresses)". Any
// thread; never waits for more than its own lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "hub/service/error.h"
#include "hub/store/records.h"

namespace hawser::hub {

class RefusalCounts {
 public:
  static constexpr std::int64_t kMinute = 60;
  static constexpr std::size_t kMostKinds = 1024;

  // What is to be written because of the refusal, in order: the count of a minute that is over, and the refusal itself
  // when it is the first of its kind.
  [[nodiscard]] std::vector<AuditLine> add(AuditLine refusal, ErrorCode code);
  // The counts of minutes that are over at `now`, in Unix seconds.
  [[nodiscard]] std::vector<AuditLine> take_over(std::int64_t now);
  // All counts.
  [[nodiscard]] std::vector<AuditLine> take_all();

 private:
  using Key = std::tuple<std::string, std::string, ErrorCode>;  // address, action, code
  struct Kind {
    std::int64_t began;   // the moment of the one that was told by itself
    AuditLine told = {};  // what the others have in common with the first of them; `at` is the last one's
    std::int64_t first = 0;
    std::uint64_t count = 0;
    [[nodiscard]] bool is_over(std::int64_t now) const noexcept { return now < began || now - began >= kMinute; }
    [[nodiscard]] AuditLine line() const;
  };
  [[nodiscard]] std::vector<AuditLine> take(std::optional<std::int64_t> now);
  std::mutex mutex_;
  std::map<Key, Kind> kinds_;
};

}  // namespace hawser::hub
