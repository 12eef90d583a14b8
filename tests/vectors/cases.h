// A file of vectors: JSON with one case a line, each with its inputs and either what must come out (`result.ok` and so
// on) or the kind of error (`result.err`).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/wire/json.h>

namespace hawser::vectors {

// What became of a case: nothing when it passed, otherwise what was found in place of what.
using Outcome = std::string;
inline const Outcome kPassed;

struct Tally {
  std::size_t passed = 0;
  std::size_t failed = 0;

  // Counts one; prints it when it failed.
  void count(const Outcome& outcome, std::string_view where);
  // Prints a case where hawser does otherwise on purpose, and better. It counts as passed.
  void better(std::string_view what, std::string_view where);
};

// Every case of the file, judged one by one. What judging throws is a failure.
Tally judge_all(const Json& file, const std::function<Outcome(const Json& one, Tally& tally)>& judge);

Tally judge_struct(const Json& file);
Tally judge_codec(const Json& file);
Tally judge_strftime(const Json& file);
Tally judge_tables(const Json& file);

[[nodiscard]] std::string from_hex(std::string_view hex);
[[nodiscard]] std::string to_hex(std::string_view bytes);

}  // namespace hawser::vectors
