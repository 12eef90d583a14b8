// Hashes of whole files: xxh3-128 (the default: fast, for channels that are authentic already), sha256, md5.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace hawser::hub {

enum class HashAlgorithm : std::uint8_t { xxh3_128, sha256, md5 };

// "xxh3-128", "sha256", "md5".
[[nodiscard]] std::string_view to_string(HashAlgorithm algorithm) noexcept;
// Throws ServiceError(bad_request), naming the three.
[[nodiscard]] HashAlgorithm parse_hash_algorithm(std::string_view word);

struct FileHash {
  HashAlgorithm algorithm = HashAlgorithm::xxh3_128;
  std::string value;  // lower-case hex

  // Checks the length and the digits; upper case is taken and lowered. Throws ServiceError(bad_request).
  static FileHash parse(std::string_view algorithm, std::string_view value);
  friend bool operator==(const FileHash&, const FileHash&) = default;
};

// Takes a file's bytes in order. One thread at a time.
class Hasher {
 public:
  explicit Hasher(HashAlgorithm algorithm);
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;
  ~Hasher();

  void update(std::span<const std::byte> bytes);
  // The hash of all bytes so far. Once for sha256 and md5: nothing may follow it.
  [[nodiscard]] FileHash finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hawser::hub
