// Symbols: names of functions for addresses in this process, out of the symbol tables of the program and its shared
// objects. Internal. Reads files and allocates; never throws: where nothing is known the name is "0x55d0…" with what it
// lies in. Any thread; not from a signal handler.
#pragma once

#include <cstdint>
#include <string>

namespace hawser::detail {

// "hawser::Socket::recv(unsigned long)", cut where it is very long.
[[nodiscard]] std::string symbol_at(std::uintptr_t address) noexcept;

}  // namespace hawser::detail
