#include <hawser/tls/certificate.h>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <stdexcept>

#include "tls/tls_ends.h"

using namespace hawser;
using namespace hawser::test;

TEST(certificate, key_is_for_its_owner_alone) {
  struct stat status {};
  ASSERT_EQ(::stat(identity().key.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
}

TEST(certificate, fingerprint_is_that_of_the_file_and_of_the_context) {
  EXPECT_EQ(certificate_fingerprint(identity().certificate), identity().fingerprint);
  EXPECT_EQ(server_context().fingerprint(), identity().fingerprint);
  EXPECT_EQ(identity().fingerprint.substr(0, 7), "sha256:");
  EXPECT_EQ(identity().fingerprint.size(), 71U);
}

TEST(certificate, replaces_what_was_there_and_leaves_nothing_else_behind) {
  const TemporaryFolder folder;
  const std::string first = generate_certificate({.names = {"a.example"}}, folder / "c", folder / "k");
  const std::string second = generate_certificate({.names = {"a.example"}}, folder / "c", folder / "k");
  EXPECT_NE(first, second);
  EXPECT_EQ(certificate_fingerprint(folder / "c"), second);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 2);
}

TEST(certificate, refuses_what_is_no_name) {
  const TemporaryFolder folder;
  const auto make = [&](std::vector<std::string> names) {
    return generate_certificate({.names = std::move(names)}, folder / "c", folder / "k");
  };
  EXPECT_THROW(make({}), std::invalid_argument);
  EXPECT_THROW(make({""}), std::invalid_argument);
  EXPECT_THROW(make({"a,DNS:evil.example"}), std::invalid_argument);
  EXPECT_THROW(make({std::string(254, 'a')}), std::invalid_argument);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(certificate, refuses_a_validity_of_nothing) {
  const TemporaryFolder folder;
  EXPECT_THROW(generate_certificate({.names = {"a"}, .validity = std::chrono::days(0)}, folder / "c", folder / "k"),
               std::invalid_argument);
}

TEST(certificate, names_the_folder_that_cannot_be_written) {
  try {
    generate_certificate({.names = {"a"}}, "/nonexistent/c", "/nonexistent/k");
    FAIL();
  } catch (const SystemError& error) {
    EXPECT_NE(std::string(error.what()).find("/nonexistent/k"), std::string::npos) << error.what();
    EXPECT_EQ(error.error_number(), ENOENT);
  }
}

TEST(certificate, a_file_without_a_certificate_is_named) {
  try {
    certificate_fingerprint(identity().key);
    FAIL();
  } catch (const TlsError& error) {
    EXPECT_NE(std::string(error.what()).find(identity().key), std::string::npos) << error.what();
  }
  EXPECT_THROW(certificate_fingerprint("/nonexistent"), SystemError);
}

TEST(certificate, fingerprints_are_read_as_people_type_them) {
  const std::string digits(64, 'a');
  const std::string whole = "sha256:" + digits;
  EXPECT_EQ(normalise_fingerprint(whole), whole);
  EXPECT_EQ(normalise_fingerprint(digits), whole);
  EXPECT_EQ(normalise_fingerprint("SHA256:" + std::string(64, 'A')), whole);
  std::string colons = "aa";
  for (int i = 1; i < 32; ++i) colons += ":AA";
  EXPECT_EQ(normalise_fingerprint("sha256:" + colons), whole);
}

TEST(certificate, anything_else_is_no_fingerprint) {
  const std::string digits(64, 'a');
  for (const std::string& text :
       {std::string(), std::string("sha256:"), digits + "a", digits.substr(1), "md5:" + digits, "g" + digits.substr(1),
        "sha256::" + digits, digits + ":", "aa::" + digits.substr(2), "a:" + digits.substr(1)})
    EXPECT_THROW(normalise_fingerprint(text), std::invalid_argument) << text;
}
