// Pipeline: many requests under way on one connection, so that small ones do not each wait for the way there and back.
//
// One fiber posts; answers come in the same order to the callbacks, on a fiber of the Pipeline's own. At most kWindow
// requests are unanswered; then post() waits. Callbacks may read the answer's body and further frames, and may wait.
// What a callback throws ends the Pipeline, as does a lost connection: every later call throws it.
//
// The hub closes a connection after a refusal when much of a body was still to come. That is ConnectionSpent: what was
// not answered is handed back through `lost`, to be posted again on another connection.
#pragma once

#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <stdexcept>

#include <hawser/fiber/task.h>
#include <hawser/sync/condition.h>
#include <hawser/sync/lock.h>

#include "cli/hub_client.h"

namespace hawser::cli {

class ConnectionSpent : public std::runtime_error {
 public:
  ConnectionSpent() : std::runtime_error("the hub takes no more requests on this connection") {}
};

class Pipeline {
 public:
  static constexpr std::size_t kWindow = 256;

  // Gets every answer, refusals included.
  using OnAnswer = std::function<void(const Frame& answer, FrameStream& frames)>;
  using OnLost = std::function<void()>;

  // The hub is borrowed, and nobody else receives from it while this lives.
  explicit Pipeline(HubClient& hub);
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;
  // Closes the connection when answers are still missing, and calls no more callbacks.
  ~Pipeline();

  void post(Json header, BytesView body, OnAnswer on_answer, OnLost lost = {});
  // Sends the header; the body is then sent by send(), whose calls add up to header["size"].
  void post_header(Json header, OnAnswer on_answer, OnLost lost = {});
  // Sends a piece of a file as part of a body. Throws Failure when the file is shorter than that, ConnectionSpent when
  // the hub has refused meanwhile and does not want the rest.
  void send_file(int fd, std::uint64_t offset, std::uint64_t count);
  // Posts and waits for the answer. Throws Failure when it is a refusal.
  Json request(Json header);
  // Waits until every answer has come.
  void finish();

  // Calls `lost` of all that was not answered. After ConnectionSpent.
  void hand_back();
  // Closes the connection when answers are still missing, and returns when no callback runs any more: what they use may
  // go then. Idempotent; never throws.
  void stop() noexcept;

 private:
  struct Pending {
    OnAnswer on_answer;
    OnLost lost;
  };

  void enter(OnAnswer on_answer, OnLost lost);
  void read_answers();
  Frame next_answer();
  void check() const;
  // Calls send(); when that fails, what the reading side has found out says more than the broken connection does.
  template <class Send>
  void send_or_explain(Send&& send);

  HubClient& hub_;
  Lock lock_;
  Condition changed_{lock_};
  std::deque<Pending> pending_;
  bool stopping_ = false;
  bool spent_ = false;
  std::uint64_t sends_ = 0;  // to tell a slow upload from a hub that has gone silent
  std::exception_ptr error_;
  Task<void> reader_;
};

}  // namespace hawser::cli
