#include "hub/service/file_hash.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <memory>
#include <stdexcept>

#include "hub/service/error.h"

namespace hawser::hub {
namespace {

std::size_t size_of(HashAlgorithm algorithm) noexcept { return algorithm == HashAlgorithm::sha256 ? 32 : 16; }

std::string to_hex(std::span<const unsigned char> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (const unsigned char byte : bytes) {
    hex += kDigits[byte >> 4U];
    hex += kDigits[byte & 0xfU];
  }
  return hex;
}

struct FreeXxh {
  void operator()(XXH3_state_t* state) const noexcept { XXH3_freeState(state); }
};
struct FreeEvp {
  void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};

void check_evp(int result) {
  if (result != 1) throw ServiceError(ErrorCode::internal, "OpenSSL cannot compute this hash here");
}

}  // namespace

std::string_view to_string(HashAlgorithm algorithm) noexcept {
  switch (algorithm) {
    case HashAlgorithm::sha256:
      return "sha256";
    case HashAlgorithm::md5:
      return "md5";
    case HashAlgorithm::xxh3_128:
      break;
  }
  return "xxh3-128";
}

HashAlgorithm parse_hash_algorithm(std::string_view word) {
  for (const auto algorithm : {HashAlgorithm::xxh3_128, HashAlgorithm::sha256, HashAlgorithm::md5}) {
    if (word == to_string(algorithm)) return algorithm;
  }
  throw ServiceError(ErrorCode::bad_request,
                     fmt::format("no such hash: {} (xxh3-128, sha256, md5)", word.substr(0, 64)));
}

FileHash FileHash::parse(std::string_view algorithm, std::string_view value) {
  FileHash hash{parse_hash_algorithm(algorithm), std::string(value.substr(0, 128))};
  const std::size_t digits = size_of(hash.algorithm) * 2;
  for (char& digit : hash.value) {
    if (digit >= 'A' && digit <= 'F') digit = static_cast<char>(digit - 'A' + 'a');
  }
  const bool is_hex = std::ranges::all_of(
      hash.value, [](char digit) { return (digit >= '0' && digit <= '9') || (digit >= 'a' && digit <= 'f'); });
  if (hash.value.size() != digits || !is_hex) {
    throw ServiceError(ErrorCode::bad_request, fmt::format("a {} hash has {} hexadecimal digits", algorithm, digits));
  }
  return hash;
}

struct Hasher::State {
  HashAlgorithm algorithm;
  std::unique_ptr<XXH3_state_t, FreeXxh> xxh;
  std::unique_ptr<EVP_MD_CTX, FreeEvp> evp;
};

Hasher::Hasher(HashAlgorithm algorithm) : state_(std::make_unique<State>(State{algorithm, nullptr, nullptr})) {
  if (algorithm == HashAlgorithm::xxh3_128) {
    state_->xxh.reset(XXH3_createState());
    if (!state_->xxh || XXH3_128bits_reset(state_->xxh.get()) != XXH_OK) throw std::bad_alloc();
  } else {
    state_->evp.reset(EVP_MD_CTX_new());
    if (!state_->evp) throw std::bad_alloc();
    check_evp(
        EVP_DigestInit_ex(state_->evp.get(), algorithm == HashAlgorithm::md5 ? EVP_md5() : EVP_sha256(), nullptr));
  }
}

Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;
Hasher::~Hasher() = default;

void Hasher::update(std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  if (state_->xxh) {
    XXH3_128bits_update(state_->xxh.get(), bytes.data(), bytes.size());
  } else {
    check_evp(EVP_DigestUpdate(state_->evp.get(), bytes.data(), bytes.size()));
  }
}

FileHash Hasher::finish() {
  if (state_->xxh) {
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state_->xxh.get()));
    return {state_->algorithm, to_hex(canonical.digest)};
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  check_evp(EVP_DigestFinal_ex(state_->evp.get(), digest.data(), &size));
  return {state_->algorithm, to_hex(std::span(digest).first(size))};
}

}  // namespace hawser::hub
