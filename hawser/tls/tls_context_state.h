// What a TlsContext holds. Internal to the floor.
#pragma once

#include <string>

#include <hawser/tls/openssl.h>
#include <hawser/tls/tls_context.h>

namespace hawser {

struct TlsContext::State {
  bool server = false;
  detail::SslContext ssl_context;
  std::string fingerprint;  // server: of its certificate
  std::string alpn;         // protocols as RFC 7301 lists them: a length byte before each name
  std::string pin;
  std::function<bool(const std::string&)> accept;
  bool check_name = true;

  // The client trusts authorities, as opposed to one certificate.
  [[nodiscard]] bool by_authority() const noexcept { return !server && pin.empty() && !accept; }
};

}  // namespace hawser
