#include <hawser/tls/tls_context.h>

#include <stdexcept>

#include <openssl/err.h>

#include <hawser/tls/certificate.h>
#include <hawser/tls/tls_context_state.h>
#include <hawser/tls/tls_error.h>
#include <hawser/tls/tls_session.h>

#ifdef __aarch64__
#include <sys/auxv.h>
#ifndef HWCAP_AES
#define HWCAP_AES (1 << 3)
#endif
#endif

namespace hawser {
namespace {

using detail::throw_openssl;

bool processor_has_aes() {
#if defined(__x86_64__) || defined(__i386__)
  return __builtin_cpu_supports("aes") != 0;
#elif defined(__aarch64__)
  return (getauxval(AT_HWCAP) & HWCAP_AES) != 0;
#else
  return false;
#endif
}

const char* cipher_order() {
  return processor_has_aes() ? "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
                             : "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384";
}

// OpenSSL would ask at the terminal, and the thread would wait for somebody to type.
int no_passphrase(char* /*into*/, int /*size*/, int /*writing*/, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

void load_key(SSL_CTX& context, const std::string& file) {
  bool asked = false;
  SSL_CTX_set_default_passwd_cb(&context, &no_passphrase);
  SSL_CTX_set_default_passwd_cb_userdata(&context, &asked);
  const bool loaded = SSL_CTX_use_PrivateKey_file(&context, file.c_str(), SSL_FILETYPE_PEM) == 1;
  SSL_CTX_set_default_passwd_cb_userdata(&context, nullptr);
  if (asked) throw TlsError("key " + file + ": it needs a passphrase");
  if (!loaded) throw_openssl("key " + file);
}

detail::SslContext make_context(const SSL_METHOD* method) {
  ERR_clear_error();
  detail::SslContext context(SSL_CTX_new(method));
  if (!context || SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION) != 1 ||
      SSL_CTX_set_ciphersuites(context.get(), cipher_order()) != 1)
    throw_openssl("TLS context");
  // A server lets a client without AES instructions have ChaCha20 although it comes later in its own order.
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
                                         SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context.get(), 0);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS | SSL_MODE_AUTO_RETRY);
  return context;
}

std::string alpn_list(const std::vector<std::string>& protocols) {
  std::string list;
  for (const std::string& name : protocols) {
    if (name.empty() || name.size() > 255) throw std::invalid_argument("ALPN protocol: length must be 1 to 255");
    list += static_cast<char>(name.size());
    list += name;
  }
  if (list.size() > 65535) throw std::invalid_argument("ALPN protocols: too many");
  return list;
}

int choose_protocol(SSL* /*ssl*/, const unsigned char** chosen, unsigned char* chosen_size,
                    const unsigned char* offered, unsigned int offered_size, void* argument) {
  const std::string& ours = *static_cast<const std::string*>(argument);
  unsigned char* out = nullptr;
  if (SSL_select_next_proto(&out, chosen_size, reinterpret_cast<const unsigned char*>(ours.data()),
                            static_cast<unsigned int>(ours.size()), offered, offered_size) != OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *chosen = out;
  return SSL_TLSEXT_ERR_OK;
}

void load_authorities(SSL_CTX& context, const std::string& file) {
  if (file.empty()) {
    if (SSL_CTX_set_default_verify_paths(&context) != 1) throw_openssl("the system's certificate authorities");
    return;
  }
  if (SSL_CTX_load_verify_file(&context, file.c_str()) != 1) throw_openssl("certificate authorities " + file);
  // A server's own certificate may stand in the file as well as the authority that issued it.
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(&context), X509_V_FLAG_PARTIAL_CHAIN);
}

}  // namespace

TlsContext TlsContext::server(const TlsServerOptions& options) {
  auto state = std::make_shared<State>();
  state->server = true;
  state->alpn = alpn_list(options.alpn);
  state->ssl_context = make_context(TLS_server_method());
  SSL_CTX* context = state->ssl_context.get();
  if (SSL_CTX_use_certificate_chain_file(context, options.certificate_file.c_str()) != 1)
    throw_openssl("certificate " + options.certificate_file);
  load_key(*context, options.key_file);
  if (SSL_CTX_check_private_key(context) != 1)
    throw_openssl("key " + options.key_file + " for certificate " + options.certificate_file);
  state->fingerprint = detail::fingerprint_of(*SSL_CTX_get0_certificate(context));
  if (!state->alpn.empty()) SSL_CTX_set_alpn_select_cb(context, &choose_protocol, &state->alpn);
  return TlsContext(std::move(state));
}

TlsContext TlsContext::client(const TlsClientOptions& options) {
  if (int(!options.ca_file.empty()) + int(!options.pin.empty()) + int(bool(options.accept)) > 1)
    throw std::invalid_argument("TLS client: only one of ca_file, pin and accept");
  auto state = std::make_shared<State>();
  state->alpn = alpn_list(options.alpn);
  if (!options.pin.empty()) state->pin = normalise_fingerprint(options.pin);
  state->accept = options.accept;
  state->check_name = options.check_name;
  state->ssl_context = make_context(TLS_client_method());
  SSL_CTX* context = state->ssl_context.get();
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(context, &detail::TlsSession::verify_certificate, nullptr);
  if (state->by_authority()) load_authorities(*context, options.ca_file);
  if (!state->alpn.empty() &&
      SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(state->alpn.data()),
                              static_cast<unsigned int>(state->alpn.size())) != 0)
    throw_openssl("ALPN protocols");
  return TlsContext(std::move(state));
}

const std::string& TlsContext::fingerprint() const noexcept { return state_->fingerprint; }

}  // namespace hawser
