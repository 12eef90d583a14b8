// UploadSlot: the right to work on one staged file. The later of two connections with the same upload takes it from the
// earlier one, between two of its calls.
//
//   auto claim = slots.claim("anna/3f…", size);  // counts for quotas from now on; waits for nobody
//   auto slot = std::move(claim).take();         // waits until the earlier holder's call, if one goes on, has ended
//   { auto hold = slot->use(); ... }             // throws ServiceError(conflict) once the slot was taken over
//
// Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace hawser::hub {

class UploadSlots;

class UploadSlot {
 public:
  UploadSlot(UploadSlots& slots, std::string key) : slots_(slots), key_(std::move(key)) {}
  UploadSlot(const UploadSlot&) = delete;
  UploadSlot& operator=(const UploadSlot&) = delete;
  ~UploadSlot();

  // Holds the slot for one call. Throws ServiceError(conflict).
  [[nodiscard]] std::unique_lock<std::mutex> use();
  // The same without the throw: not owning when the slot was taken over.
  [[nodiscard]] std::unique_lock<std::mutex> try_use() noexcept;

  // What the upload may come to, for quotas: the whole, since what has come already may still be written to.
  std::atomic<std::uint64_t> reserved{0};

 private:
  friend class UploadSlots;
  friend class UploadClaim;
  UploadSlots& slots_;
  std::string key_;
  std::mutex mutex_;
  bool taken_over_ = false;
};

// A slot on its way to its new holder.
class UploadClaim {
 public:
  // The slot is the caller's alone; an earlier holder has lost it.
  [[nodiscard]] std::shared_ptr<UploadSlot> take() &&;

 private:
  friend class UploadSlots;
  std::shared_ptr<UploadSlot> slot_;
  std::unique_lock<std::mutex> hold_;  // until the earlier holder is out, so that a third one waits for us and thereby
                                       // for it
  std::shared_ptr<UploadSlot> earlier_;
};

class UploadSlots {
 public:
  // Key: "<user>/<name of the staged file>".
  [[nodiscard]] UploadClaim claim(const std::string& key, std::uint64_t reserved);
  // The same when nobody has it; nothing otherwise. Never waits.
  [[nodiscard]] std::shared_ptr<UploadSlot> take_unused(const std::string& key);
  // What the user's uploads have reserved, by the names of their staged files.
  [[nodiscard]] std::map<std::string, std::uint64_t, std::less<>> reserved_by(std::string_view user) const;

 private:
  friend class UploadSlot;
  void forget(const UploadSlot& slot) noexcept;
  mutable std::mutex mutex_;
  // The plain pointer holds as long as the entry does: a slot's destructor removes its entry first of all.
  struct Entry {
    std::weak_ptr<UploadSlot> owned;
    UploadSlot* slot = nullptr;
  };
  std::map<std::string, Entry, std::less<>> slots_;
};

}  // namespace hawser::hub
