#include "cases.h"

#include <fmt/format.h>

#include <exception>
#include <stdexcept>

namespace hawser::vectors {

void Tally::count(const Outcome& outcome, std::string_view where) {
  if (outcome.empty()) {
    ++passed;
    return;
  }
  ++failed;
  fmt::print("FAILED {}\n       {}\n", where.substr(0, 500), outcome);
}

void Tally::better(std::string_view what, std::string_view where) {
  fmt::print("better {}\n       {}\n", where.substr(0, 500), what);
}

Tally judge_all(const Json& file, const std::function<Outcome(const Json&, Tally&)>& judge) {
  Tally tally;
  for (const Json& one : file["cases"].as_array()) {
    Outcome outcome;
    try {
      outcome = judge(one, tally);
    } catch (const std::exception& error) {
      outcome = fmt::format("threw {}", error.what());
    }
    tally.count(outcome, outcome.empty() ? std::string() : one.dump());
  }
  return tally;
}

std::string from_hex(std::string_view hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

std::string to_hex(std::string_view bytes) {
  std::string hex;
  for (const char byte : bytes) hex += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return hex;
}

}  // namespace hawser::vectors
