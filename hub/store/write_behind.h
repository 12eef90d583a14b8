// WriteBehind: audit lines and known hashes on their way to the database. What is written down here is seen at once and
// reaches the file together with its neighbours, a fraction of a second later: one transaction for hundreds of rows.
//
// At most kMostPending rows wait; beyond that the caller writes them out itself. Any thread. Its thread ends, having
// written everything, when it goes.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "hub/store/records.h"

namespace hawser::hub {

struct KnownHash {
  FileVersion file;
  std::string hash;
};

struct PendingRows {
  // By device, inode and algorithm: the latest alone counts.
  using HashKey = std::tuple<std::uint64_t, std::uint64_t, std::string>;
  std::vector<AuditLine> audit;
  std::map<HashKey, KnownHash> hashes;
  [[nodiscard]] std::size_t size() const noexcept { return audit.size() + hashes.size(); }
};

class WriteBehind {
 public:
  static constexpr std::size_t kMostPending = 4096;

  // write puts rows into the database; it is never called twice at once. When it throws, the rows are lost and the
  // error is logged; flush() and the like rethrow it.
  explicit WriteBehind(std::function<void(const PendingRows&)> write);
  WriteBehind(const WriteBehind&) = delete;
  WriteBehind& operator=(const WriteBehind&) = delete;
  ~WriteBehind();

  void add(AuditLine line);
  void add(const FileVersion& file, std::string_view algorithm, std::string_view hash);
  [[nodiscard]] std::optional<KnownHash> find(const FileVersion& file, std::string_view algorithm) const;
  // Returns when all that was added before is in the database.
  void flush();

 private:
  void added(std::unique_lock<std::mutex> hold);
  void run();
  std::function<void(const PendingRows&)> write_;
  mutable std::mutex mutex_;  // pending_, being_written_, stopping_
  std::mutex writing_;        // held while rows go to the database; taken before mutex_
  std::condition_variable wake_;
  PendingRows pending_;
  PendingRows being_written_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace hawser::hub
