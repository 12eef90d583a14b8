// HubClient: one connection to a hub, seen from the client (docs/protocol.md).
//
//   HubClient hub(target, home, report);
//   hub.sign_in();
//   Json entry = hub.request({{"cmd", "stat"}, {"path", "a.txt"}})["entry"];
//
// The constructor connects, within 20 seconds, and checks whom it has reached: by --pin, by --ca, or by the fingerprint
// that was remembered when the hub was first met; a hub never met before is remembered, and said so. What introduces
// and signs in the connection is sent without waiting for the answers; they are looked at before the first other
// answer.
//
// Lives inside run(). One fiber sends and one receives, or a single one does both. Throws Failure: unreachable and
// untrusted (exit code 3), not signed in (4), what the hub refuses (1); and what FrameStream throws.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include <hawser/net/socket.h>
#include <hawser/tls/tls_stream.h>
#include <hawser/wire/frame_stream.h>

#include "cli/home.h"
#include "cli/listing_limit.h"
#include "cli/report.h"
#include "cli/target.h"

namespace hawser::cli {

class HubClient {
 public:
  // How long an answer may take: the longest are those to a removal or a checksum of very much.
  static constexpr std::chrono::minutes kPatience{15};

  HubClient(const Target& target, const Home& home, Report& report);
  HubClient(const HubClient&) = delete;
  HubClient& operator=(const HubClient&) = delete;
  ~HubClient();

  // With the target's token, else with its user and password.
  void sign_in();

  // Sends and waits for the answer. Throws Failure when it is not "ok".
  Json request(Json header);

  // The two halves: any number may be posted before their answers are read, in the same order.
  void post(Json header, BytesView body = {});
  // Posts a request whose answer is read next: should the connection break meanwhile, that says why.
  void ask(Json header);
  // Posts a header whose body, of header["size"] bytes, the caller sends over frames().
  void post_header(Json header);
  // The id of the last request posted: what frames that belong to it carry.
  [[nodiscard]] std::int64_t last_id() const noexcept { return next_id_ - 1; }
  // The next frame of an answer; its body is the caller's. Waits kPatience, or for ever when patient is set: for
  // commands that may be silent for as long as they like. Throws Failure when it is not "ok".
  Frame answer(bool patient = false);
  // The same, refusals included.
  Frame next_frame(bool patient = false);

  [[nodiscard]] FrameStream& frames() noexcept { return *frames_; }
  // The stream that a file may be sent over without copying.
  [[nodiscard]] Stream& stream() noexcept { return frames_->stream(); }
  void close() noexcept { frames_->stream().close(); }
  // What the listings of this connection have to keep within.
  [[nodiscard]] ListingLimit& listing_limit() noexcept { return listing_limit_; }

  [[nodiscard]] const Target& target() const noexcept { return target_; }

 private:
  static constexpr std::chrono::seconds kConnectTime{20};

  void connect(const Home& home);
  void secure(std::unique_ptr<Socket> socket, const Home& home);
  void introduce();
  void settle();
  Frame receive(bool patient);

  Target target_;
  Report& report_;
  ListingLimit listing_limit_;
  std::unique_ptr<FrameStream> frames_;
  std::int64_t next_id_ = 1;
  bool hello_awaited_ = false;
  bool resume_awaited_ = false;
};

// What a failed answer says. Throws Failure; returns when the answer is "ok" or says nothing about it.
void throw_when_refused(const Json& answer);

}  // namespace hawser::cli
