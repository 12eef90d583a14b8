#include "hub/store/write_behind.h"

#include <fmt/format.h>

#include <chrono>
#include <exception>

#include <hawser/base/log.h>

namespace hawser::hub {
namespace {

constexpr std::chrono::milliseconds kGather{50};

}  // namespace

WriteBehind::WriteBehind(std::function<void(const PendingRows&)> write)
    : write_(std::move(write)), thread_([this] { run(); }) {}

WriteBehind::~WriteBehind() {
  {
    const std::lock_guard hold(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void WriteBehind::add(AuditLine line) {
  std::unique_lock hold(mutex_);
  pending_.audit.push_back(std::move(line));
  added(std::move(hold));
}

void WriteBehind::add(const FileVersion& file, std::string_view algorithm, std::string_view hash) {
  std::unique_lock hold(mutex_);
  pending_.hashes.insert_or_assign({file.device, file.inode, std::string(algorithm)},
                                   KnownHash{file, std::string(hash)});
  added(std::move(hold));
}

void WriteBehind::added(std::unique_lock<std::mutex> hold) {
  const std::size_t waiting = pending_.size();
  hold.unlock();
  if (waiting == 1) wake_.notify_one();
  if (waiting >= kMostPending) flush();
}

std::optional<KnownHash> WriteBehind::find(const FileVersion& file, std::string_view algorithm) const {
  const std::lock_guard hold(mutex_);
  const PendingRows::HashKey key{file.device, file.inode, std::string(algorithm)};
  for (const PendingRows* rows : {&pending_, &being_written_}) {
    if (const auto found = rows->hashes.find(key); found != rows->hashes.end()) return found->second;
  }
  return std::nullopt;
}

void WriteBehind::flush() {
  const std::lock_guard write_hold(writing_);
  {
    const std::lock_guard hold(mutex_);
    if (pending_.size() == 0) return;
    being_written_ = std::exchange(pending_, {});
  }
  std::exception_ptr failed;
  try {
    write_(being_written_);
  } catch (...) {
    failed = std::current_exception();
  }
  {
    const std::lock_guard hold(mutex_);
    being_written_ = {};
  }
  if (failed) std::rethrow_exception(failed);
}

void WriteBehind::run() {
  std::unique_lock hold(mutex_);
  for (;;) {
    wake_.wait(hold, [this] { return stopping_ || pending_.size() != 0; });
    if (!stopping_) wake_.wait_for(hold, kGather, [this] { return stopping_; });
    const bool last = stopping_;
    hold.unlock();
    try {
      flush();
    } catch (const std::exception& error) {
      log_line(LogLevel::error, fmt::format("audit lines or file hashes were lost: {}", error.what()));
    }
    if (last) return;
    hold.lock();
  }
}

}  // namespace hawser::hub
