// NativeConversation: one connection that speaks `hawser/1` (docs/protocol.md): receives requests, has each carried out
// by its command, answers in order.
//
// Runs on one fiber; a command may use more. Waits at most kIdle for a request, 30 s for the rest of a header, and
// holds the peer to a least pace while bodies move (pace.h). Memory: the frame stream's buffer and what a command
// needs, which is bounded (see docs/protocol.md, "Limits").
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include <hawser/wire/frame_stream.h>

#include "hub/doors/conversations.h"
#include "hub/doors/native_services.h"
#include "hub/doors/wire_error.h"
#include "hub/service/session.h"

namespace hawser::hub {

class NativeConversation {
 public:
  static constexpr std::chrono::minutes kIdle{10};
  static constexpr std::chrono::seconds kHeader{30};
  // What no command takes of a body is read and dropped up to this; beyond it the connection is closed.
  static constexpr std::uint64_t kDropBody = std::uint64_t{16} << 20;
  static constexpr std::size_t kLongestId = 1024;

  // has_left tells without waiting whether the peer has closed its side, whatever it sent before is read or not.
  NativeConversation(Stream& stream, const NativeServices& services, TransferBudget& budget, Conversations& all,
                     std::function<bool()> has_left);

  // Until the peer has finished, breaks the protocol, stays away or the door drains. Throws what the stream throws.
  void serve();

  // For the commands -----------------------------------------------------------------------------------------------

  [[nodiscard]] const NativeServices& services() const noexcept { return services_; }
  [[nodiscard]] TransferBudget& budget() noexcept { return budget_; }
  [[nodiscard]] FrameStream& frames() noexcept { return frames_; }
  // "127.0.0.1:5000"
  [[nodiscard]] const std::string& peer() const noexcept { return peer_; }

  [[nodiscard]] bool peer_has_left() const { return has_left_(); }

  // Who is signed in. Throws ServiceError(unauthenticated) when nobody is, or no longer.
  [[nodiscard]] Session& session();
  void sign_in(Session session) { session_ = std::move(session); }
  void sign_out() noexcept { session_.reset(); }

  // {"id": …, "ok": true} of the request, for the command to add to.
  [[nodiscard]] static Json reply_to(const Frame& request);
  // Sends a frame, at the pace that peers must keep. Not by two fibers at once.
  void send(const Json& header, BytesView body = {});
  // Sends a header whose body the command sends by itself.
  void send_head(const Json& header);
  void answer(const Frame& request) { send(reply_to(request)); }
  // The whole body, which must be at most limit bytes: too_large otherwise.
  [[nodiscard]] Bytes read_body(std::size_t limit);
  // More of a body is left than is dropped: the last answer must carry "closing", and the connection ends after it.
  // Errors carry it by themselves.
  [[nodiscard]] bool must_close() const noexcept { return body_left() > kDropBody; }
  // A frame that came while a command was being served and is not for it: the next request. Its body is not read yet.
  void put_back(Frame frame) { waiting_ = std::move(frame); }

 private:
  enum class Next { go_on, close };
  [[nodiscard]] Frame next_request();
  [[nodiscard]] Next carry_out(const Frame& request);
  [[nodiscard]] std::uint64_t body_left() const noexcept;
  void drop_body();
  void send_error(const Json* id, const WireError& error, bool closing);
  // Lets the peer read the last answer before the connection goes: unread bytes would make the kernel reset it.
  void linger() noexcept;

  const NativeServices& services_;
  TransferBudget& budget_;
  std::string peer_;
  FrameStream frames_;
  std::function<bool()> has_left_;
  Conversations::Member member_;
  std::optional<Session> session_;
  std::optional<Frame> waiting_;
};

}  // namespace hawser::hub
