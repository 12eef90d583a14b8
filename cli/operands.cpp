#include "cli/operands.h"

#include <algorithm>
#include <string_view>

#include <CLI/CLI.hpp>

namespace hawser::cli {
namespace {

// A lone "-" is none, nor is a negative number.
bool is_option(std::string_view word) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return word.size() > 1 && word[0] == '-' && (word[1] == '-' || is_letter(word[1]));
}

const CLI::Option* find_option(const CLI::App& parser, const std::string& name) {
  for (const CLI::App* app = &parser; app != nullptr; app = app->get_parent())
    if (const CLI::Option* option = app->get_option_no_throw(name); option != nullptr) return option;
  return nullptr;
}

bool takes_a_value(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

// Whether the next word is the value of this one: behind "--hub", "-j" and "-rj", but not behind "--hub=h" and "-j4".
bool wants_value(const CLI::App& parser, const std::string& word) {
  if (word.starts_with("--")) {
    if (word.ends_with('=')) return wants_value(parser, word.substr(0, word.size() - 1));  // as the parser has it
    const CLI::Option* option = find_option(parser, word);
    return option != nullptr && takes_a_value(*option);
  }
  for (std::size_t i = 1; i < word.size(); ++i) {
    const CLI::Option* option = find_option(parser, {'-', word[i]});
    if (option == nullptr) return false;
    if (takes_a_value(*option)) return i + 1 == word.size();
  }
  return false;
}

bool may_be_many(const CLI::Option& option) {
  return option.get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll;
}

}  // namespace

CLI::Option* add_words(CLI::App& parser, const std::string& name, std::vector<std::string>& into,
                       const std::string& help) {
  const auto keep = [&into](const CLI::results_t& words) {
    into = words;
    return true;
  };
  return parser.add_option(name, CLI::callback_t(keep), help)
      ->expected(1, -1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
      ->allow_extra_args(false);
}

Operands take_operands(std::vector<std::string>& args, std::size_t command_place, const CLI::App& parser,
                       bool apart_after_dashes) {
  Operands taken;
  std::vector<std::string> kept;
  for (std::size_t i = 0; i < args.size(); ++i) {
    std::string& word = args[i];
    if (word == "--") {
      taken.had_dashes = true;
      auto& rest = apart_after_dashes ? taken.after_dashes : taken.words;
      rest.insert(rest.end(), args.begin() + static_cast<std::ptrdiff_t>(i) + 1, args.end());
      break;
    }
    if (i != command_place && !is_option(word)) {
      taken.words.push_back(std::move(word));
      continue;
    }
    const bool has_value = is_option(word) && i + 1 < args.size() && wants_value(parser, word);
    kept.push_back(std::move(word));
    if (has_value) kept.push_back(std::move(args[++i]));
  }
  args = std::move(kept);
  return taken;
}

std::vector<std::string> give_operands(CLI::App& parser, const std::vector<std::string>& words) {
  const auto options = parser.get_options([](const CLI::Option* option) { return option->get_positional(); });
  std::size_t given = 0;
  if (!options.empty()) {
    CLI::Option& option = *options.front();
    for (; given < words.size() && (given == 0 || may_be_many(option)); ++given) option.add_result(words[given]);
  }
  return {words.begin() + static_cast<std::ptrdiff_t>(given), words.end()};
}

}  // namespace hawser::cli
