// Did you mean: the known word nearest to one that was mistyped.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace hawser::cli {

// How many insertions, removals, replacements and swaps of neighbours make one out of the other (the restricted
// Damerau-Levenshtein distance).
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

// The nearest of `known`; empty when none is near enough to be meant.
[[nodiscard]] std::string nearest_word(std::string_view word, std::span<const std::string> known);

}  // namespace hawser::cli
