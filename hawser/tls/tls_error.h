// What goes wrong in TLS, in OpenSSL's words and without secrets. Errors of the stream below (SystemError,
// SocketClosed, DeadlineExceeded, Cancelled) pass through unchanged.
#pragma once

#include <stdexcept>
#include <string>

namespace hawser {

// The peer broke the protocol, refused ours, or no common version, cipher or application protocol was found. Also
// unusable certificate or key files.
class TlsError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The peer's certificate is not one that we trust: unknown issuer, wrong name, expired, not the pinned one, or refused
// by the accept callback.
class TlsUntrusted : public TlsError {
 public:
  TlsUntrusted(const std::string& what, std::string fingerprint)
      : TlsError(what), fingerprint_(std::move(fingerprint)) {}
  // Of the certificate that the peer showed: "sha256:" and 64 hex digits.
  [[nodiscard]] const std::string& fingerprint() const noexcept { return fingerprint_; }

 private:
  std::string fingerprint_;
};

// The connection ended without the peer's close_notify (RFC 8446, 6.1): what was read so far may not be all.
class TlsTruncated : public TlsError {
 public:
  using TlsError::TlsError;
};

}  // namespace hawser
