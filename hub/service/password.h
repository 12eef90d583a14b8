// Passwords: argon2id, a bounded number at a time.
//
// Each hash takes hash_memory_bytes and tens of milliseconds. At most `at_once` run, at most `waiting` wait for their
// turn (each on a thread of the caller's), and more are refused with `busy`, as is one that waited for ten seconds: a
// flood of sign-ins takes neither the memory nor all the threads. Any thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <semaphore>
#include <string>
#include <string_view>

namespace hawser::hub {

class PasswordHasher {
 public:
  PasswordHasher(std::size_t memory_bytes, std::uint64_t passes, std::size_t at_once, std::size_t waiting);

  // The text to keep: algorithm, parameters, salt and hash in one.
  [[nodiscard]] std::string hash(std::string_view password);
  [[nodiscard]] bool verify(const std::string& hash, std::string_view password);
  // Takes as long as verify() does, and says no: for users that do not exist.
  void verify_nothing(std::string_view password);
  // The hash was made with other parameters than today's.
  [[nodiscard]] bool is_outdated(const std::string& hash) const;

 private:
  class Turn;
  std::size_t memory_bytes_;
  std::uint64_t passes_;
  std::size_t most_;
  std::atomic<std::size_t> present_{0};
  std::counting_semaphore<> turns_;
  std::string nobody_;
};

}  // namespace hawser::hub
