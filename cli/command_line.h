// The command line as a whole: from the words that were typed to an exit code.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hawser::cli {

// Parses, runs and reports; never throws. args are without the program's name.
[[nodiscard]] int run_command_line(const std::vector<std::string>& args);

// The place of the word that names the command: the first that is neither an option of every command nor the value of
// one. args.size() when there is none.
[[nodiscard]] std::size_t find_command_word(const std::vector<std::string>& args);

}  // namespace hawser::cli
