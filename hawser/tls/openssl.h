// OpenSSL's objects as owned values, and its error queue in words. Internal to the floor.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace hawser::detail {

template <auto kFree>
struct OpenSslFree {
  template <class T>
  void operator()(T* object) const noexcept {
    kFree(object);
  }
};

using SslContext = std::unique_ptr<SSL_CTX, OpenSslFree<&SSL_CTX_free>>;
using Ssl = std::unique_ptr<SSL, OpenSslFree<&SSL_free>>;
using BioMethod = std::unique_ptr<BIO_METHOD, OpenSslFree<&BIO_meth_free>>;
using Bio = std::unique_ptr<BIO, OpenSslFree<&BIO_free_all>>;
using X509Certificate = std::unique_ptr<X509, OpenSslFree<&X509_free>>;
using X509Extension = std::unique_ptr<X509_EXTENSION, OpenSslFree<&X509_EXTENSION_free>>;
using Key = std::unique_ptr<EVP_PKEY, OpenSslFree<&EVP_PKEY_free>>;

// The reason of the oldest error in this thread's queue, e.g. "no shared cipher"; empties the queue.
std::string openssl_reason();

// Throws TlsError: what, ": ", the reason.
[[noreturn]] void throw_openssl(std::string_view what);

// "sha256:…" of the certificate in DER. Throws TlsError.
std::string fingerprint_of(const X509& certificate);

}  // namespace hawser::detail
