// The completion scripts, made from the commands and options as they are, so that they never lag behind.
#pragma once

#include <string>

namespace hawser::cli {

[[nodiscard]] std::string bash_completion();
// For a file named _hawser in zsh's fpath, or to be sourced.
[[nodiscard]] std::string zsh_completion();

}  // namespace hawser::cli
