// Passwords: argon2id, a bounded number at a time.
//
// Each hash takes hash_memory_bytes and tens of milliseconds. At most `at_once` run, at most `waiting` wait for their
// turn (each on a thread of the caller's), and more are refused with `busy`, as is one that waited for ten seconds: a
// flood of sign-ins takes neither the memory nor all the threads.
//
// Nobody fills all places to the exclusion of others. When they are full, the newest of those waiting for the address
// that has most of them gives way (`busy`) to a caller whose address has fewer, and within an address the user with
// most of them to one with fewer; turns go to whom has fewest at work, and then to who came first. As long as there is
// room, one address may have all of it: many users may sit behind it. Any thread.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace hawser::hub {

// For whom a password is hashed.
struct HashClaimant {
  std::string address;
  std::string user;
};

class PasswordHasher {
 public:
  PasswordHasher(std::size_t memory_bytes, std::uint64_t passes, std::size_t at_once, std::size_t waiting);

  // The text to keep: algorithm, parameters, salt and hash in one.
  [[nodiscard]] std::string hash(std::string_view password, const HashClaimant& claimant = {});
  [[nodiscard]] bool verify(const std::string& hash, std::string_view password, const HashClaimant& claimant = {});
  // Takes as long as verify() does, and says no: for users that do not exist.
  void verify_nothing(std::string_view password, const HashClaimant& claimant = {});
  // The hash was made with other parameters than today's.
  [[nodiscard]] bool is_outdated(const std::string& hash) const;

 private:
  class Turn;
  struct Place {
    const HashClaimant& claimant;
    bool at_work = false;
    bool given_up = false;
    std::condition_variable changed = {};
  };
  // How many places there are for the address, and of these for the user.
  using Share = std::pair<std::size_t, std::size_t>;
  [[nodiscard]] Share share_of(const Place& place, bool at_work_only) const;
  void make_room(const Place& newcomer);
  void next_turns();

  std::size_t memory_bytes_;
  std::uint64_t passes_;
  std::size_t at_once_;
  std::size_t most_;
  std::mutex mutex_;
  std::list<Place*> places_;  // first come first; a handful at most
  std::string nobody_;
};

}  // namespace hawser::hub
