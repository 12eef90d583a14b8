#include "cli/positive_number.h"

#include <cmath>
#include <cstdlib>

#include <fmt/format.h>

#include "cli/terminal.h"

namespace hawser::cli {

std::string why_not_positive(const std::string& text) {
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  const bool is_whole_text = !text.empty() && end == text.c_str() + text.size();
  // A number that is none (nan) is not above zero either.
  if (is_whole_text && number > 0 && std::isfinite(number)) return "";
  return fmt::format("takes a number above 0, not '{}'", printable(text));
}

}  // namespace hawser::cli
