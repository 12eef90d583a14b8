// Operands: the words of a command line that are neither options nor values of options: paths, a name, a command to
// run.
//
// They reach the command as they were typed. The parser never meets them, for some would mean something to it: "[a,b]"
// a list, "++" the end of a command.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace hawser::cli {

// Declares operands of which there may be many, or, with the name of an option, one that may be given again. `into`
// gets the words as they are, and must live as long as the parser.
CLI::Option* add_words(CLI::App& parser, const std::string& name, std::vector<std::string>& into,
                       const std::string& help);

struct Operands {
  std::vector<std::string> words;
  std::vector<std::string> after_dashes;  // what stood behind "--", when that is kept apart
  bool had_dashes = false;
};

// Takes them out of args, which keeps the word at `command_place` and all options with their values. With
// `apart_after_dashes` what stands behind "--" is kept apart; else it is operands, even what begins with a dash.
[[nodiscard]] Operands take_operands(std::vector<std::string>& args, std::size_t command_place, const CLI::App& parser,
                                     bool apart_after_dashes);

// Gives them to the option that the parser has for them, before it parses what is left. Returns those that it has no
// place for.
[[nodiscard]] std::vector<std::string> give_operands(CLI::App& parser, const std::vector<std::string>& words);

}  // namespace hawser::cli
