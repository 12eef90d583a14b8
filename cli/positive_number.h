// The check of options that want a number above zero.
#pragma once

#include <string>

namespace hawser::cli {

// Says what is wrong with text; empty when it is a finite number above zero: "60", "0.5", "1e3". For
// CLI::Option::check.
[[nodiscard]] std::string why_not_positive(const std::string& text);

}  // namespace hawser::cli
