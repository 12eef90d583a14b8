// A store that the loads behind it do not pass. Internal.
#pragma once

#include <atomic>
#include <type_traits>

namespace hawser::detail {

// For Dekker's pattern: I write mine and read yours, you write yours and read mine, and one of us must see the other.
// A sequentially consistent store() is that by the standard, and on every real processor. Emulated it may not be: qemu
// up to 7.2 runs AArch64's stlr and ldar on x86 as plain ones, so that two loops slept for ever, each with a message.
// An exchange is whole there as well, and on x86 the same instruction.
template <class T>
void store_before_loads(std::atomic<T>& word, std::type_identity_t<T> value) noexcept {
  static_cast<void>(word.exchange(value, std::memory_order_seq_cst));
}

}  // namespace hawser::detail
