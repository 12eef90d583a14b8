// CodeAddress: where a function lies, in words that hold in another process of the same program. Internal.
//
// Processes of one program have it at different addresses (ASLR), but a function is as far from the beginning of its
// file in each of them. Sources: dladdr(3), dl_iterate_phdr(3).
#pragma once

#include <cstdint>
#include <string>

namespace hawser::detail {

struct CodeAddress {
  std::string image;         // the file of a shared library; empty: the program itself
  std::uint64_t offset = 0;  // from where the file was loaded

  // Throws std::invalid_argument for an address in no file that is loaded.
  static CodeAddress of(const void* address);
  template <class R, class... P>
  static CodeAddress of(R (*function)(P...)) {
    return of(reinterpret_cast<const void*>(function));
  }

  // Here. Loads the library when it isn't. Throws std::runtime_error when it can't be.
  [[nodiscard]] void* here() const;
};

// The distance of an address in the program itself from its beginning, and back; 0 for another address.
[[nodiscard]] std::uint64_t offset_in_program(const void* address) noexcept;
[[nodiscard]] void* at_offset_in_program(std::uint64_t offset) noexcept;

}  // namespace hawser::detail
