#include <hawser/tls/tls_session.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <stdexcept>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <hawser/base/made_once.h>
#include <hawser/tls/server_name.h>
#include <hawser/tls/tls_error.h>

namespace hawser::detail {
namespace {

constinit MadeOnce<const BioMethod> g_method;

// Who only reads sends the answers to the peer's updates of keys with the next write, which may never come: they must
// not grow without end. An honest peer asks every so many gigabytes; this is some five hundred times.
constexpr std::size_t kMostAnswers = std::size_t{16} * 1024;

}  // namespace

TlsSession::TlsSession(const TlsContext& context, std::string_view server_name)
    : context_(context), ssl_((ERR_clear_error(), SSL_new(context.state().ssl_context.get()))) {
  Bio bio(BIO_new(bio_method()));
  if (!ssl_ || !bio) throw_openssl("TLS connection");
  BIO_set_data(bio.get(), this);
  BIO_set_init(bio.get(), 1);
  SSL_set_bio(ssl_.get(), bio.get(), bio.get());
  static_cast<void>(bio.release());
  SSL_set_app_data(ssl_.get(), this);
  if (context.state().server) {
    SSL_set_accept_state(ssl_.get());
  } else {
    SSL_set_connect_state(ssl_.get());
    set_name_to_check(server_name);
  }
}

void TlsSession::set_name_to_check(std::string_view name) {
  const bool check = context_.state().by_authority() && context_.state().check_name;
  server_name_ = name;
  if (server_name_.empty()) {
    if (check) throw std::invalid_argument("TLS client: a server name is needed to check the certificate against");
    return;
  }
  if (server_name_.find('\0') != std::string::npos) throw std::invalid_argument("TLS server name: NUL in it");
  // OpenSSL would take it for any name below that domain.
  if (server_name_.front() == '.') throw std::invalid_argument("TLS server name: a dot before " + server_name_);
  if (is_ip_address(server_name_)) {
    if (check && X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_.get()), server_name_.c_str()) != 1)
      throw_openssl("TLS server name " + server_name_);
    return;
  }
  if (SSL_ctrl(ssl_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, server_name_.data()) != 1)
    throw_openssl("TLS server name " + server_name_);
  if (!check) return;
  SSL_set_hostflags(ssl_.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (SSL_set1_host(ssl_.get(), server_name_.c_str()) != 1) throw_openssl("TLS server name " + server_name_);
}

TlsSession::Handshake TlsSession::handshake() {
  const std::lock_guard hold(mutex_);
  ERR_clear_error();
  input_allowed_ = true;
  const int result = SSL_do_handshake(ssl_.get());
  input_allowed_ = false;
  if (result == 1) {
    note_agreement();
    return Handshake::done;
  }
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return Handshake::needs_input;
    case SSL_ERROR_WANT_RETRY_VERIFY:
      return Handshake::needs_verdict;
    default:
      throw_handshake_error();
  }
}

void TlsSession::throw_handshake_error() const {
  const std::string reason = openssl_reason();
  if (!distrust_.empty()) throw TlsUntrusted(distrust_, peer_fingerprint_);
  throw TlsError(reason);
}

void TlsSession::note_agreement() {
  const unsigned char* name = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &name, &size);
  alpn_.assign(reinterpret_cast<const char*>(name), size);
  if (context_.state().server) {
    const char* asked = SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name);
    server_name_ = asked ? asked : "";
  } else if (alpn_.empty() && !context_.state().alpn.empty()) {
    throw TlsError("the peer speaks none of the application protocols offered");
  }
}

TlsSession::Decrypted TlsSession::decrypt(std::span<std::byte> into) {
  const std::lock_guard hold(mutex_);
  ERR_clear_error();
  if (!failure_.empty()) throw TlsError(failure_);
  input_allowed_ = true;
  std::size_t filled = 0;
  Read stopped = Read::data;
  while (filled < into.size()) {
    std::size_t got = 0;
    const int result = SSL_read_ex(ssl_.get(), into.data() + filled, into.size() - filled, &got);
    if (result == 1) {
      filled += got;
      continue;
    }
    const int error = SSL_get_error(ssl_.get(), result);
    if (error == SSL_ERROR_WANT_READ)
      stopped = Read::needs_input;
    else if (error == SSL_ERROR_ZERO_RETURN)
      stopped = Read::ended;
    else
      failure_ = openssl_reason();
    break;
  }
  input_allowed_ = false;
  if (failure_.empty() && answers_ > kMostAnswers) failure_ = "the peer asks for new keys again and again";
  if (!failure_.empty() && filled == 0) throw TlsError(failure_);  // what came before is handed out first
  return {filled ? Read::data : stopped, filled};
}

bool TlsSession::has_plaintext() noexcept {
  const std::lock_guard hold(mutex_);
  if (SSL_pending(ssl_.get()) > 0) return true;
  if (input_.empty()) return false;
  ERR_clear_error();
  input_allowed_ = true;
  char first = 0;
  std::size_t got = 0;
  const int result = SSL_peek_ex(ssl_.get(), &first, 1, &got);
  input_allowed_ = false;
  // OpenSSL tells the reason only once.
  if (result != 1 && failure_.empty() && SSL_get_error(ssl_.get(), result) == SSL_ERROR_SSL)
    failure_ = openssl_reason();
  return result == 1;
}

void TlsSession::encrypt(std::span<const std::byte> data) {
  if (data.empty()) return;
  const std::lock_guard hold(mutex_);
  ERR_clear_error();
  constexpr std::size_t kRecordOverhead = 22;  // header, content type, tag
  output_.reserve(data.size() + (data.size() / kRecord + 1) * kRecordOverhead);
  std::size_t taken = 0;
  if (SSL_write_ex(ssl_.get(), data.data(), data.size(), &taken) != 1) throw_openssl("TLS write");
}

void TlsSession::say_goodbye() noexcept {
  const std::lock_guard hold(mutex_);
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

void TlsSession::take_output(Staging& to) noexcept {
  const std::lock_guard hold(mutex_);
  to.swap(output_);
  answers_ = 0;
}

std::string TlsSession::cipher() const {
  const std::lock_guard hold(mutex_);
  return SSL_get_cipher_name(ssl_.get());
}

int TlsSession::verify_certificate(X509_STORE_CTX* store, void* /*argument*/) {
  auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto& session = *static_cast<TlsSession*>(SSL_get_app_data(ssl));
  try {
    return session.trust(*store) ? 1 : 0;
  } catch (const std::exception& error) {  // must not pass through OpenSSL's frames
    session.distrust_ = error.what();
    X509_STORE_CTX_set_error(store, X509_V_ERR_UNSPECIFIED);
    return 0;
  }
}

bool TlsSession::trust(X509_STORE_CTX& store) {
  const TlsContext::State& settings = context_.state();
  peer_fingerprint_ = fingerprint_of(*X509_STORE_CTX_get0_cert(&store));
  if (settings.by_authority()) {
    if (X509_verify_cert(&store) == 1) return true;
    distrust_ =
        std::string(X509_verify_cert_error_string(X509_STORE_CTX_get_error(&store))) + " (" + peer_fingerprint_ + ")";
    return false;
  }
  if (settings.accept && verdict_ == Verdict::open) {
    SSL_set_retry_verify(ssl_.get());
    return true;
  }
  if (settings.accept ? verdict_ == Verdict::accepted : peer_fingerprint_ == settings.pin) {
    X509_STORE_CTX_set_error(&store, X509_V_OK);
    return true;
  }
  distrust_ = settings.accept ? "certificate not accepted (" + peer_fingerprint_ + ")"
                              : "the certificate is " + peer_fingerprint_ + ", the pin says " + settings.pin;
  X509_STORE_CTX_set_error(&store, X509_V_ERR_CERT_REJECTED);
  return false;
}

const BIO_METHOD* TlsSession::bio_method() {
  return g_method
      .get([] {
        BioMethod made(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "hawser staging"));
        if (!made || BIO_meth_set_read_ex(made.get(), &bio_read) != 1 ||
            BIO_meth_set_write_ex(made.get(), &bio_write) != 1 || BIO_meth_set_ctrl(made.get(), &bio_control) != 1)
          throw_openssl("TLS staging");
        return made;
      })
      .get();
}

int TlsSession::bio_read(BIO* bio, char* into, std::size_t size, std::size_t* got) {
  auto& session = *static_cast<TlsSession*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  if (!session.input_allowed_ || session.input_.empty()) {
    BIO_set_retry_read(bio);
    return 0;
  }
  *got = std::min(size, session.input_.size());
  std::memcpy(into, session.input_.bytes().data(), *got);
  session.input_.consume(*got);
  return 1;
}

int TlsSession::bio_write(BIO* bio, const char* from, std::size_t size, std::size_t* taken) {
  auto& session = *static_cast<TlsSession*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  try {
    session.output_.append(std::as_bytes(std::span(from, size)));
  } catch (const std::bad_alloc&) {
    return 0;
  }
  if (session.input_allowed_) session.answers_ += size;
  *taken = size;
  return 1;
}

long TlsSession::bio_control(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

}  // namespace hawser::detail
