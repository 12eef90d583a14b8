// NativeDoor: where clients that speak `hawser/1` come in, over TLS 1.3 or, when told so, plain TCP.
//
// Listens from its construction on; serve() hands each connection to a NativeConversation on a fiber of its own, on any
// of the loops. A peer has 10 s for the TLS handshake. Everything a peer does wrong ends its own conversation only.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

#include <hawser/fiber/task.h>
#include <hawser/net/address.h>
#include <hawser/serve/tcp_servers.h>
#include <hawser/tls/tls_context.h>

#include "hub/doors/conversations.h"
#include "hub/doors/native_services.h"

namespace hawser::hub {

struct NativeDoorOptions {
  std::optional<TlsContext> tls;  // none: plain TCP
  std::size_t max_connections = 10'000;
  Duration drain = std::chrono::seconds(30);
};

class NativeDoor {
 public:
  static constexpr const char* kAlpn = "hawser/1";

  // Throws SystemError naming the address. The services must outlive the door.
  NativeDoor(const Endpoint& endpoint, const NativeServices& services, NativeDoorOptions options);
  // On a listener that exists.
  NativeDoor(Listener listener, const NativeServices& services, NativeDoorOptions options);
  NativeDoor(const NativeDoor&) = delete;
  NativeDoor& operator=(const NativeDoor&) = delete;

  [[nodiscard]] const Address& address() const noexcept { return server_.address(); }
  [[nodiscard]] std::size_t connections() const noexcept { return server_.connections(); }

  // Until drain() or a cancellation of the fiber; returns when the last conversation has ended. Once. Cancelled, it
  // cuts what is left first.
  void serve() { server_.serve_forever(); }
  // Takes nobody else in, ends conversations that are between requests, and gives the others the time of
  // NativeDoorOptions::drain. From any fiber or thread.
  void drain();

 private:
  void talk(Socket& peer);

  const NativeServices& services_;
  NativeDoorOptions options_;
  TransferBudget budget_;
  Conversations conversations_;
  StreamServer server_;
};

}  // namespace hawser::hub
