// TlsContext: the settings, certificate and trust that any number of TLS connections share.
//
//   TlsContext context = TlsContext::server({.certificate_file = "hub.crt", .key_file = "hub.key", .alpn =
//   {"hawser/1"}}); TlsContext context = TlsContext::client({.pin = "sha256:…", .alpn = {"hawser/1"}});
//
// TLS 1.3 only (RFC 8446), AES-128-GCM first where the processor has AES instructions, ChaCha20-Poly1305 first
// elsewhere; no renegotiation, compression, early data, session tickets or key log. A ticket unread by a client that
// writes and closes would make the kernel reset the connection and lose what was written, hence none.
//
// Copies share one context. Immutable; any thread or fiber. Making one reads files: it blocks on the disk.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace hawser {

struct TlsServerOptions {
  std::string certificate_file = {};  // PEM; further certificates of the chain may follow in the same file
  std::string key_file = {};          // PEM, without a passphrase: nobody is asked for one
  // Application protocols we speak, best first (RFC 7301). A client that offers only others is refused; one that offers
  // none is let in. Empty: no matter.
  std::vector<std::string> alpn = {};
};

// At most one of ca_file, pin and accept; without any, the system's certificate authorities are trusted.
struct TlsClientOptions {
  std::string ca_file = {};  // PEM: trust these authorities (or exactly these servers), no others
  std::string pin = {};      // the server's certificate is the one with this fingerprint; name and dates do not matter
  // Trust on first use: asked with the fingerprint of the server's certificate before anything of ours is sent. May
  // wait (a prompt, a lookup); false refuses. What it throws comes out of the TlsStream's constructor.
  std::function<bool(const std::string& fingerprint)> accept = {};
  // With authorities: the certificate must be for the name that TlsStream is given.
  bool check_name = true;
  // Application protocols we offer, best first. When not empty, the server must choose one of them.
  std::vector<std::string> alpn = {};
};

class TlsContext {
 public:
  // Throw TlsError (file unreadable or malformed, key and certificate do not belong together) and
  // std::invalid_argument (contradicting options, malformed pin or protocol name).
  static TlsContext server(const TlsServerOptions& options);
  static TlsContext client(const TlsClientOptions& options);

  // Of the server's own certificate; empty on the client.
  [[nodiscard]] const std::string& fingerprint() const noexcept;

  struct State;
  [[nodiscard]] const State& state() const noexcept { return *state_; }

 private:
  explicit TlsContext(std::shared_ptr<const State> state) noexcept : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

}  // namespace hawser
