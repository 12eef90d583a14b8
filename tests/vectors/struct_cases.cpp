// struct: calcsize, pack, unpack, unpack_from, pack_into, iter_unpack. Integers come as decimal text, reals as C99 hex,
// bytes as hex.
#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

#include <hawser/wire/struct.h>

#include "cases.h"

namespace hawser::vectors {

namespace {

// The arguments of a case, and the bytes they borrow.
class Arguments {
 public:
  explicit Arguments(const Json& values) {
    texts_.reserve(values.as_array().size());
    for (const Json& value : values.as_array()) {
      const std::string& type = value["t"].as_string();
      if (type == "none") {
        arguments_.emplace_back(nullptr);
      } else if (type == "bool") {
        arguments_.emplace_back(value["v"].as_bool());
      } else if (type == "int") {
        arguments_.push_back(StructArgument::integer(texts_.emplace_back(value["v"].as_string())));
      } else if (type == "float") {
        arguments_.emplace_back(std::strtod(value["v"].as_string().c_str(), nullptr));
      } else if (type == "bytes") {
        arguments_.emplace_back(texts_.emplace_back(from_hex(value["v"].as_string())));
      } else if (type == "str") {
        arguments_.emplace_back(u8"text");
      } else {
        throw std::invalid_argument("a value of unknown type: " + type);
      }
    }
  }
  [[nodiscard]] std::span<const StructArgument> all() const { return arguments_; }

 private:
  std::vector<std::string> texts_;
  std::vector<StructArgument> arguments_;
};

std::string integer_text(const StructValue& value) {
  try {
    return std::to_string(value.as_int64());
  } catch (const StructError&) {
    return std::to_string(value.as_uint64());
  }
}

std::string real_text(double value) { return std::isnan(value) ? "nan" : fmt::format("{:a}", value); }

// Values as text, alike for what came out and for what is expected.
std::string text_of(std::span<const StructValue> values) {
  std::string text;
  for (const StructValue& value : values) {
    if (value.is_bool()) {
      text += value.as_bool() ? " bool:1" : " bool:0";
    } else if (value.is_bytes()) {
      text += " bytes:" + to_hex(value.as_bytes());
    } else if (value.is_real()) {
      text += " float:" + real_text(value.as_double());
    } else {
      text += " int:" + integer_text(value);
    }
  }
  return text;
}

std::string text_of(const Json& values) {
  std::string text;
  for (const Json& value : values.as_array()) {
    const std::string& type = value["t"].as_string();
    text += " " + type + ":";
    if (type == "bool") {
      text += value["v"].as_bool() ? "1" : "0";
    } else if (type == "float") {
      text += real_text(std::strtod(value["v"].as_string().c_str(), nullptr));
    } else {
      text += value["v"].as_string();
    }
  }
  return text;
}

// What the operation of a case gives, as text.
std::string run_case(const Json& one, std::string& buffer) {
  const Struct format(one["fmt"].as_string());
  const std::string& operation = one["op"].as_string();
  const std::int64_t offset = one.get_int64("offset", 0);
  if (operation == "calcsize") return std::to_string(format.size());
  if (operation == "pack") return to_hex(format.pack_values(Arguments(one["values"]).all()).view());
  if (operation == "unpack") return text_of(format.unpack(buffer));
  if (operation == "unpack_from") return text_of(format.unpack_from(buffer, offset));
  if (operation == "pack_into") {
    format.pack_values_into(std::as_writable_bytes(std::span(buffer)), offset, Arguments(one["values"]).all());
    return to_hex(buffer);
  }
  if (operation == "iter_unpack") {
    std::string text;
    for (const std::vector<StructValue>& values : format.iter_unpack(buffer)) text += "[" + text_of(values) + "]";
    return text;
  }
  throw std::invalid_argument("an unknown operation: " + operation);
}

std::string expected_of(const Json& one) {
  const std::string& operation = one["op"].as_string();
  const Json& ok = one["result"]["ok"];
  if (operation == "calcsize") return ok.as_number_text();
  if (operation == "pack" || operation == "pack_into") return ok.as_string();
  if (operation != "iter_unpack") return text_of(ok);
  std::string text;
  for (const Json& values : ok.as_array()) text += "[" + text_of(values) + "]";
  return text;
}

// Python's native f lets what is too large become infinite; hawser refuses it in every order.
bool overflows_quietly(const Json& one) {
  if (one["result"].value().contains("err") || one["op"].as_string() != "pack") return false;
  const std::string& format = one["fmt"].as_string();
  if (format.find('f') == std::string::npos || format.find_first_of("<>=!") != std::string::npos) return false;
  for (const Json& value : one["values"].as_array()) {
    if (value["t"].as_string() != "float") continue;
    const double real = std::strtod(value["v"].as_string().c_str(), nullptr);
    if (std::isfinite(real) && std::isinf(static_cast<float>(real))) return true;
  }
  return false;
}

Outcome judge_error(const Json& one, std::string_view found, const std::string& words, const std::string& buffer) {
  const Json& error = one["result"]["err"];
  // Python refuses letters beyond ASCII while it encodes the format; here they are no letters of the grammar.
  const std::string& type = error["type"].as_string();
  const std::string_view kind = type == "UnicodeEncodeError" ? "struct.error" : std::string_view(type);
  if (found != kind) return fmt::format("{} ({}), expected {}", found, words, error.dump());
  const std::string after = one["result"].value().get_string("buffer_after", to_hex(buffer));
  return after == to_hex(buffer) ? kPassed : fmt::format("wrote {}", to_hex(buffer));
}

Outcome judge_one(const Json& one, Tally& tally) {
  std::string buffer = from_hex(one.get_string("buffer", ""));
  try {
    const std::string found = run_case(one, buffer);
    if (one["result"].value().contains("err")) return fmt::format("gave {}", found);
    const std::string expected = expected_of(one);
    return found == expected ? kPassed : fmt::format("gave {}, expected {}", found, expected);
  } catch (const StructOverflow& error) {
    if (overflows_quietly(one)) {
      tally.better(error.what(), one.dump());
      return kPassed;
    }
    if (!one["result"].value().contains("err")) return fmt::format("threw {}", error.what());
    return judge_error(one, "OverflowError", error.what(), buffer);
  } catch (const StructError& error) {
    if (!one["result"].value().contains("err")) return fmt::format("threw {}", error.what());
    return judge_error(one, "struct.error", error.what(), buffer);
  }
}

}  // namespace

Tally judge_struct(const Json& file) { return judge_all(file, judge_one); }

}  // namespace hawser::vectors
