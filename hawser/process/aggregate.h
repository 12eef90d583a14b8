// The members of a plain struct, without a word from whoever wrote it. Internal.
//
// How many there are is found by trying to initialise the struct with more and more values that convert to anything;
// they are then named by a structured binding. C arrays and base classes do not count right, and are refused by the
// binding: std::array, and a serialise() of one's own.
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

namespace hawser::detail {

constexpr std::size_t kMostMembers = 16;

template <class Whole>
struct AnyMember {
  template <class T>
  requires(!std::is_same_v<T, Whole>) operator T() const noexcept;  // NOLINT(google-explicit-constructor): never called
};

template <class T, std::size_t... I>
constexpr bool made_of(std::index_sequence<I...>) {
  return requires { T{AnyMember<std::enable_if_t<(I < kMostMembers + 2), T>>()...}; };
}

template <class T, std::size_t N = kMostMembers + 1>
constexpr std::size_t member_count() {
  if constexpr (made_of<T>(std::make_index_sequence<N>())) {
    return N;
  } else if constexpr (N > 0) {
    return member_count<T, N - 1>();
  } else {
    return 0;
  }
}

template <class T>
concept PlainStruct = std::is_class_v<T> && std::is_aggregate_v<T> && !std::is_polymorphic_v<T>;

// Calls visit(first, second, …) with the members of a struct that has N of them.
template <std::size_t N, class T, class Visit>
constexpr decltype(auto) with_members(T& value, Visit&& visit) {
  static_assert(N <= kMostMembers, "hawser: a struct with more than 16 members needs a serialise() of its own");
  // clang-format off
  if constexpr (N == 0) { return visit(); }
  else if constexpr (N == 1) { auto& [a] = value; return visit(a); }
  else if constexpr (N == 2) { auto& [a, b] = value; return visit(a, b); }
  else if constexpr (N == 3) { auto& [a, b, c] = value; return visit(a, b, c); }
  else if constexpr (N == 4) { auto& [a, b, c, d] = value; return visit(a, b, c, d); }
  else if constexpr (N == 5) { auto& [a, b, c, d, e] = value; return visit(a, b, c, d, e); }
  else if constexpr (N == 6) { auto& [a, b, c, d, e, f] = value; return visit(a, b, c, d, e, f); }
  else if constexpr (N == 7) { auto& [a, b, c, d, e, f, g] = value; return visit(a, b, c, d, e, f, g); }
  else if constexpr (N == 8) { auto& [a, b, c, d, e, f, g, h] = value; return visit(a, b, c, d, e, f, g, h); }
  else if constexpr (N == 9) { auto& [a, b, c, d, e, f, g, h, i] = value; return visit(a, b, c, d, e, f, g, h, i); }
  else if constexpr (N == 10) {
    auto& [a, b, c, d, e, f, g, h, i, j] = value;
    return visit(a, b, c, d, e, f, g, h, i, j);
  } else if constexpr (N == 11) {
    auto& [a, b, c, d, e, f, g, h, i, j, k] = value;
    return visit(a, b, c, d, e, f, g, h, i, j, k);
  } else if constexpr (N == 12) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l] = value;
    return visit(a, b, c, d, e, f, g, h, i, j, k, l);
  } else if constexpr (N == 13) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m] = value;
    return visit(a, b, c, d, e, f, g, h, i, j, k, l, m);
  } else if constexpr (N == 14) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n] = value;
    return visit(a, b, c, d, e, f, g, h, i, j, k, l, m, n);
  } else if constexpr (N == 15) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o] = value;
    return visit(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o);
  } else if constexpr (N == 16) {
    auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = value;
    return visit(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p);
  }
  // clang-format on
}

}  // namespace hawser::detail
