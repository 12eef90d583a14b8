// TlsSession: one end of a TLS connection that knows no stream. Ciphertext goes in and comes out through memory, so no
// call ever waits; TlsStream does the waiting. Internal to the floor.
//
// One context may decrypt while another encrypts: a mutex, held for the OpenSSL call only, keeps the SSL object to one
// of them at a time. input() belongs to the one that decrypts.
#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include <hawser/base/bytes.h>
#include <hawser/tls/openssl.h>
#include <hawser/tls/staging.h>
#include <hawser/tls/tls_context_state.h>

namespace hawser::detail {

class TlsSession {
 public:
  // Plaintext that encrypt() takes at most: whole records whose ciphertext fills a Staging block.
  static constexpr std::size_t kRecord = 16 * 1024;
  static constexpr std::size_t kBatch = 15 * kRecord;

  // Throws TlsError, std::invalid_argument when the context checks names and there is none.
  TlsSession(const TlsContext& context, std::string_view server_name);
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  enum class Handshake { done, needs_input, needs_verdict };
  // As far as it goes with the input there is. Throws TlsError, TlsUntrusted; what take_output() then gives is the
  // alert for the peer. needs_verdict: ask the context's accept with peer_fingerprint(), then set_verdict().
  Handshake handshake();
  void set_verdict(bool accepted) noexcept { verdict_ = accepted ? Verdict::accepted : Verdict::refused; }

  // Where ciphertext from the peer is put before the next call.
  Staging& input() noexcept { return input_; }

  enum class Read { data, needs_input, ended };
  struct Decrypted {
    Read what;
    std::size_t size;
  };
  // Decrypts as many records as are there and fit. Throws TlsError, then again and again; also when the peer wants so
  // many answers of the protocol's own (new keys, RFC 8446 4.6.3) that nobody has taken that they are an attack.
  Decrypted decrypt(std::span<std::byte> into);
  // True when decrypt() would give data. Never throws: an error shows in decrypt().
  bool has_plaintext() noexcept;

  // Encrypts all of data, at most kBatch bytes, behind what is waiting to be taken. Throws TlsError.
  void encrypt(std::span<const std::byte> data);
  // The close_notify, behind what is waiting to be taken. Does nothing where TLS allows none.
  void say_goodbye() noexcept;
  // Moves what is to be sent into `to`, which must be empty.
  void take_output(Staging& to) noexcept;

  [[nodiscard]] const std::string& alpn() const noexcept { return alpn_; }
  [[nodiscard]] const std::string& server_name() const noexcept { return server_name_; }
  [[nodiscard]] const std::string& peer_fingerprint() const noexcept { return peer_fingerprint_; }
  [[nodiscard]] std::string cipher() const;

  // OpenSSL asks here whether the server's certificate is trusted.
  static int verify_certificate(X509_STORE_CTX* store, void* argument);

 private:
  enum class Verdict { open, accepted, refused };

  static const BIO_METHOD* bio_method();
  static int bio_read(BIO* bio, char* into, std::size_t size, std::size_t* got);
  static int bio_write(BIO* bio, const char* from, std::size_t size, std::size_t* taken);
  static long bio_control(BIO* bio, int command, long number, void* pointer);

  void set_name_to_check(std::string_view name);
  void note_agreement();
  bool trust(X509_STORE_CTX& store);
  [[noreturn]] void throw_handshake_error() const;

  TlsContext context_;
  mutable std::mutex mutex_;
  Ssl ssl_;
  Staging input_;
  Staging output_;
  std::size_t answers_ = 0;  // bytes of output_ that the peer has made us write
  bool input_allowed_ = false;
  Verdict verdict_ = Verdict::open;
  std::string distrust_;
  std::string failure_;
  std::string alpn_;
  std::string server_name_;
  std::string peer_fingerprint_;
};

}  // namespace hawser::detail
