#include <hawser/tls/tls_context.h>

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <fstream>
#include <stdexcept>

#include <hawser/tls/openssl.h>

#include "tls/tls_ends.h"

using namespace hawser;
using namespace hawser::test;

namespace {

std::string error_of(const TlsServerOptions& options) {
  try {
    static_cast<void>(TlsContext::server(options));
  } catch (const TlsError& error) {
    return error.what();
  }
  return {};
}

}  // namespace

TEST(tls_context, names_the_file_it_cannot_use) {
  EXPECT_NE(error_of({.certificate_file = "/no/cert", .key_file = identity().key}).find("/no/cert"), std::string::npos);
  EXPECT_NE(error_of({.certificate_file = identity().certificate, .key_file = "/no/key"}).find("/no/key"),
            std::string::npos);
}

TEST(tls_context, refuses_a_key_of_another_certificate) {
  const TemporaryFolder folder;
  generate_certificate({.names = {"other"}}, folder / "c", folder / "k");
  EXPECT_NE(error_of({.certificate_file = identity().certificate, .key_file = folder / "k"}), "");
}

TEST(tls_context, errors_tell_nothing_of_the_key) {
  const TemporaryFolder folder;
  std::ofstream(folder / "k") << "-----BEGIN PRIVATE KEY-----\nc2VjcmV0c2VjcmV0\n-----END PRIVATE KEY-----\n";
  const std::string error = error_of({.certificate_file = identity().certificate, .key_file = folder / "k"});
  EXPECT_NE(error, "");
  EXPECT_EQ(error.find("c2Vj"), std::string::npos) << error;
}

TEST(tls_context, asks_nobody_for_the_passphrase_of_a_key) {
  const TemporaryFolder folder;
  const std::string file = folder / "k";
  const hawser::detail::Key key(EVP_EC_gen("P-256"));
  const hawser::detail::Bio into(BIO_new_file(file.c_str(), "w"));
  ASSERT_EQ(PEM_write_bio_PrivateKey(into.get(), key.get(), EVP_aes_256_cbc(), nullptr, 0, nullptr,
                                     const_cast<char*>("secret")),
            1);
  ASSERT_EQ(BIO_flush(into.get()), 1);
  const std::string error = error_of({.certificate_file = identity().certificate, .key_file = file});
  EXPECT_NE(error.find("it needs a passphrase"), std::string::npos) << error;
}

TEST(tls_context, takes_one_kind_of_trust) {
  EXPECT_THROW(
      static_cast<void>(TlsContext::client({.ca_file = identity().certificate, .pin = identity().fingerprint})),
      std::invalid_argument);
  EXPECT_THROW(static_cast<void>(TlsContext::client(
                   {.pin = identity().fingerprint, .accept = [](const std::string&) { return true; }})),
               std::invalid_argument);
}

TEST(tls_context, refuses_a_malformed_pin_file_or_protocol) {
  EXPECT_THROW(static_cast<void>(TlsContext::client({.pin = "sha256:12"})), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(TlsContext::client({.ca_file = "/no/ca"})), TlsError);
  EXPECT_THROW(static_cast<void>(TlsContext::client({.alpn = {""}})), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(TlsContext::client({.alpn = {std::string(256, 'x')}})), std::invalid_argument);
}

TEST(tls_context, needs_a_name_to_check_a_certificate_against) {
  auto [a, b] = socketpair();
  EXPECT_THROW(TlsStream(a, TlsContext::client({.ca_file = identity().certificate})), std::invalid_argument);
}
