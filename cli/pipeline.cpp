#include "cli/pipeline.h"

#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include <hawser/base/errors.h>
#include <hawser/fiber/cancellation.h>
#include <hawser/fiber/deadline.h>

namespace hawser::cli {

Pipeline::Pipeline(HubClient& hub) : hub_(hub), reader_(spawn([this] { read_answers(); })) {}

Pipeline::~Pipeline() { stop(); }

void Pipeline::stop() noexcept {
  const Shield shield;
  {
    const std::lock_guard hold(lock_);
    stopping_ = true;
    if (!pending_.empty()) hub_.close();
    changed_.notify_all();
  }
  reader_.kill();
  reader_.join();
  static_cast<void>(reader_.exception());
}

void Pipeline::check() const {
  if (error_) std::rethrow_exception(error_);
  if (spent_) throw ConnectionSpent();
}

void Pipeline::enter(OnAnswer on_answer, OnLost lost) {
  const std::lock_guard hold(lock_);
  changed_.wait_for([this] { return pending_.size() < kWindow || error_ || spent_; });
  check();
  pending_.push_back({std::move(on_answer), std::move(lost)});
  changed_.notify_all();
}

template <class Send>
void Pipeline::send_or_explain(Send&& send) {
  ++sends_;
  try {
    const Deadline patience(HubClient::kPatience, "sending to the hub");
    return send();
  } catch (const SystemError&) {
    // Below: no waiting while an exception is held.
  } catch (const TlsError&) {
  }
  constexpr std::chrono::seconds kLastWords{2};
  reader_.join(kLastWords);
  const std::lock_guard hold(lock_);
  check();
  throw unreachable("lost the connection to " + hub_.target().hub.text());
}

void Pipeline::post(Json header, BytesView body, OnAnswer on_answer, OnLost lost) {
  enter(std::move(on_answer), std::move(lost));
  send_or_explain([&] { hub_.post(std::move(header), body); });
}

void Pipeline::post_header(Json header, OnAnswer on_answer, OnLost lost) {
  enter(std::move(on_answer), std::move(lost));
  send_or_explain([&] { hub_.post_header(std::move(header)); });
}

void Pipeline::send_file(int fd, std::uint64_t offset, std::uint64_t count) {
  {
    const std::lock_guard hold(lock_);
    check();
  }
  std::uint64_t sent = 0;
  send_or_explain([&] { sent = hub_.stream().send_file(fd, offset, count); });
  if (sent == count) return;
  // In the middle of a body: the connection is of no more use, and the hub keeps what it has.
  hub_.close();
  throw local_failure("the file became shorter while it was sent");
}

Json Pipeline::request(Json header) {
  // Shared: when the wait is cut short, the answer may still come.
  const auto answer = std::make_shared<std::optional<Json>>();
  post(std::move(header), {}, [answer](const Frame& frame, FrameStream&) { *answer = frame.header(); });
  const std::lock_guard hold(lock_);
  changed_.wait_for([&] { return *answer || error_ || spent_; });
  if (!*answer) check();
  throw_when_refused(**answer);
  return std::move(**answer);
}

void Pipeline::finish() {
  const std::lock_guard hold(lock_);
  changed_.wait_for([this] { return pending_.empty() || error_ || spent_; });
  check();
}

void Pipeline::hand_back() {
  for (Pending& pending : std::exchange(pending_, {}))
    if (pending.lost) pending.lost();
}

Frame Pipeline::next_answer() {
  for (;;) {
    const std::uint64_t sends = sends_;
    try {
      return hub_.next_frame();
    } catch (const DeadlineExceeded&) {
      // The answer to an upload comes after all of it, however long that takes.
      if (sends_ == sends) throw;
    }
  }
}

void Pipeline::read_answers() {
  try {
    for (;;) {
      {
        const std::lock_guard hold(lock_);
        changed_.wait_for([this] { return stopping_ || !pending_.empty(); });
        if (stopping_) return;
      }
      const Frame answer = next_answer();
      const bool closing = answer.header().get_bool("closing", false);
      // Only this fiber takes away: the front stays where it is while others push behind it.
      pending_.front().on_answer(answer, hub_.frames());
      hub_.frames().skip_body();
      const std::lock_guard hold(lock_);
      pending_.pop_front();
      spent_ = closing;
      changed_.notify_all();
      if (closing) {
        // A sender in the middle of a body is told, whether or not the hub still reads.
        hub_.close();
        return;
      }
    }
  } catch (...) {
    error_ = std::current_exception();
  }
  const Shield shield;
  const std::lock_guard hold(lock_);
  hub_.close();
  changed_.notify_all();
}

}  // namespace hawser::cli
