#include "hub/service/file_hash.h"

#include <gtest/gtest.h>

#include "temporary_root.h"

namespace hawser::hub {
namespace {

// The empty input's digests as published by the algorithms' authors (RFC 1321, FIPS 180-4, xxHash's own tests).
TEST(file_hash, of_nothing_is_what_the_algorithms_say) {
  EXPECT_EQ(hash_of("", HashAlgorithm::md5).value, "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(hash_of("", HashAlgorithm::sha256).value,
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hash_of("", HashAlgorithm::xxh3_128).value, "99aa06d3014798d86001c324468d497f");
}

TEST(file_hash, does_not_depend_on_the_pieces) {
  const std::string text = random_bytes(100'000);
  for (const auto algorithm : {HashAlgorithm::xxh3_128, HashAlgorithm::sha256, HashAlgorithm::md5}) {
    Hasher hasher(algorithm);
    for (std::size_t at = 0; at < text.size(); at += 777)
      hasher.update(as_span(std::string_view(text).substr(at, 777)));
    EXPECT_EQ(hasher.finish(), hash_of(text, algorithm));
  }
}

TEST(file_hash, is_parsed_strictly) {
  EXPECT_EQ(FileHash::parse("md5", "D41D8CD98F00B204E9800998ECF8427E"), hash_of("", HashAlgorithm::md5));
  for (const auto& [algorithm, value] :
       std::vector<std::pair<std::string, std::string>>{{"md5", ""},
                                                        {"md5", "abc"},
                                                        {"sha256", std::string(32, 'a')},
                                                        {"xxh3-128", std::string(32, 'g')},
                                                        {"crc32", "00"},
                                                        {"", ""}}) {
    EXPECT_EQ(code_of([&] { static_cast<void>(FileHash::parse(algorithm, value)); }), ErrorCode::bad_request);
  }
}

}  // namespace
}  // namespace hawser::hub
