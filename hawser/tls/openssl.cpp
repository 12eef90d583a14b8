#include <hawser/tls/openssl.h>

#include <array>

#include <openssl/err.h>

#include <hawser/tls/tls_error.h>

namespace hawser::detail {
namespace {

// An alert that the peer sent has a reason of its own range, whose text ("sslv3 alert bad certificate") is history.
std::string reason_in_words(unsigned long error) {
  const int reason = ERR_GET_REASON(error);
  if (ERR_GET_LIB(error) == ERR_LIB_SSL) {
    if (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST || reason == SSL_R_UNKNOWN_PROTOCOL ||
        reason == SSL_R_HTTPS_PROXY_REQUEST)
      return "the peer does not speak TLS";
    if (reason > SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256)
      return std::string("the peer refused: ") + SSL_alert_desc_string_long(reason - SSL_AD_REASON_OFFSET);
  }
  const char* text = ERR_reason_error_string(error);
  return text ? text : "error " + std::to_string(error);
}

}  // namespace

std::string openssl_reason() {
  const unsigned long error = ERR_get_error();
  ERR_clear_error();
  return error ? reason_in_words(error) : "unknown error";
}

void throw_openssl(std::string_view what) { throw TlsError(std::string(what) + ": " + openssl_reason()); }

std::string fingerprint_of(const X509& certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  if (X509_digest(&certificate, EVP_sha256(), digest.data(), &size) != 1) throw_openssl("certificate fingerprint");
  std::string text = "sha256:";
  for (unsigned int i = 0; i < size; ++i) {
    constexpr std::string_view kHex = "0123456789abcdef";
    text += kHex[digest[i] >> 4];
    text += kHex[digest[i] & 15];
  }
  return text;
}

}  // namespace hawser::detail
