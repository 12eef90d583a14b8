#include "hub/doors/native_door.h"

#include <poll.h>

#include <exception>

#include <fmt/format.h>

#include <hawser/base/errors.h>
#include <hawser/base/log.h>
#include <hawser/fiber/deadline.h>
#include <hawser/tls/tls_stream.h>

#include "hub/doors/native_conversation.h"

namespace hawser::hub {

namespace {

constexpr std::chrono::seconds kHandshake{10};

// The peer has closed its side, or the connection has failed: known also while what it sent before is not read yet.
bool has_left(int fd) {
  pollfd watched{fd, POLLRDHUP, 0};
  return ::poll(&watched, 1, 0) > 0 && (watched.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

// Every day peers vanish, scan ports and speak other protocols. That is no news for whoever runs the hub.
void log_end(std::string_view peer, const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const Cancelled&) {
    log_line(LogLevel::debug, fmt::format("{}: cut", peer));
  } catch (const std::exception& e) {
    log_line(LogLevel::debug, fmt::format("{}: ended: {}", peer, e.what()));
  }
}

}  // namespace

NativeDoor::NativeDoor(const Endpoint& endpoint, const NativeServices& services, NativeDoorOptions options)
    : NativeDoor(Listener(endpoint, {.backlog = 4096}), services, std::move(options)) {}

NativeDoor::NativeDoor(Listener listener, const NativeServices& services, NativeDoorOptions options)
    : services_(services),
      options_(std::move(options)),
      server_(
          Form::fiber, std::move(listener), [this](Socket& peer) { talk(peer); },
          ServerOptions{
              .max_connections = options_.max_connections,
              .drain = options_.drain,
              .handle_error = [](const std::exception_ptr& error, Socket& peer) { log_end(peer.peer(), error); },
          }) {}

void NativeDoor::talk(Socket& peer) {
  peer.set_keep_alive({});  // finds out about peers that are gone without a word
  const auto left = [&peer] { return has_left(peer.fileno()); };
  if (!options_.tls) {
    NativeConversation(peer, services_, budget_, conversations_, left).serve();
    return;
  }
  std::optional<TlsStream> secure;
  {
    // A hub that drains need not wait for those who have not even introduced themselves.
    Conversations::Member arriving(conversations_, peer);
    if (!arriving.wait_for_request()) return;
    const Deadline handshake(kHandshake, "TLS handshake");
    secure.emplace(peer, *options_.tls);
    if (!arriving.begin_request()) return;
  }
  NativeConversation(*secure, services_, budget_, conversations_, left).serve();
}

void NativeDoor::drain() {
  server_.request_stop();
  conversations_.drain();
}

}  // namespace hawser::hub
