// `--name value` pairs and plain words of a benchmark's command line.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

class Arguments {
 public:
  // Exits with 2 and the usage when an option is not among `known` or lacks its value.
  Arguments(int argc, char** argv, std::string usage, std::vector<std::string> known) : usage_(std::move(usage)) {
    for (int i = 1; i < argc; ++i) {
      const std::string word = argv[i];
      if (!word.starts_with("--")) {
        words_.push_back(word);
        continue;
      }
      bool found = false;
      for (const std::string& name : known) found = found || word == "--" + name;
      if (!found || i + 1 == argc) fail("bad option " + word);
      options_[word.substr(2)] = argv[++i];
    }
  }

  [[nodiscard]] std::size_t words() const { return words_.size(); }
  [[nodiscard]] std::string word(std::size_t index) const {
    if (index >= words_.size()) fail("an argument is missing");
    return words_[index];
  }
  [[nodiscard]] std::string text(const std::string& name, const std::string& otherwise) const {
    const auto found = options_.find(name);
    return found == options_.end() ? otherwise : found->second;
  }
  [[nodiscard]] long number(const std::string& name, long otherwise) const {
    const auto found = options_.find(name);
    return found == options_.end() ? otherwise : parse(found->second);
  }
  [[nodiscard]] long number_at(std::size_t index) const { return parse(word(index)); }

  [[noreturn]] void fail(const std::string& what) const {
    std::fprintf(stderr, "%s\nusage: %s\n", what.c_str(), usage_.c_str());
    std::exit(2);
  }

 private:
  [[nodiscard]] long parse(const std::string& text) const {
    char* end = nullptr;
    const long value = std::strtol(text.c_str(), &end, 10);
    if (text.empty() || *end || value < 0) fail("not a number: " + text);
    return value;
  }

  std::string usage_;
  std::vector<std::string> words_;
  std::map<std::string, std::string> options_;
};
