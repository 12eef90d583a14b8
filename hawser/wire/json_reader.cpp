#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>
#include <simdjson.h>

#include <hawser/wire/json.h>

namespace hawser {

namespace {

using Fault = JsonSyntaxError::Fault;
namespace ondemand = simdjson::ondemand;

// Each level takes some of the stack, and a fiber has not much of it, also where a sanitizer takes several times as
// much.
constexpr std::size_t kDeepest = 100;
// A parser keeps room for the longest text it has seen; longer ones get a parser of their own.
constexpr std::size_t kKeptCapacity = 128 * 1024;
// Room for as many members is made at once.
constexpr std::size_t kFewMembers = 4;

[[noreturn]] void refuse(simdjson::error_code error) {
  switch (error) {
    case simdjson::UTF8_ERROR:
      throw JsonSyntaxError(Fault::invalid_utf8, "not valid UTF-8");
    case simdjson::DEPTH_ERROR:
      throw JsonSyntaxError(Fault::too_deep, "nested too deeply");
    case simdjson::EMPTY:
      throw JsonSyntaxError(Fault::not_json, "not JSON: empty");
    case simdjson::MEMALLOC:
      throw std::bad_alloc();
    default:
      break;
  }
  throw JsonSyntaxError(Fault::not_json, fmt::format("not JSON: {}", simdjson::error_message(error)));
}

[[noreturn]] void not_json(std::string_view why) {
  throw JsonSyntaxError(Fault::not_json, fmt::format("not JSON: {}", why));
}

template <class T>
T need(simdjson::simdjson_result<T> result) {
  T value;
  if (const auto error = std::move(result).get(value)) refuse(error);
  return value;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Whether text is a number in JSON's grammar, and whether it is written as an integer.
bool number_shape(std::string_view text, bool& integer) {
  std::size_t at = 0;
  const auto digits = [&] {
    const std::size_t from = at;
    while (at < text.size() && is_digit(text[at])) ++at;
    return at - from;
  };
  if (at < text.size() && text[at] == '-') ++at;
  const std::size_t first = at;
  const std::size_t whole = digits();
  if (whole == 0 || (whole > 1 && text[first] == '0')) return false;
  integer = true;
  if (at < text.size() && text[at] == '.') {
    integer = false;
    ++at;
    if (digits() == 0) return false;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    integer = false;
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    if (digits() == 0) return false;
  }
  return at == text.size();
}

template <class T>
bool read_whole(std::string_view text, T& value) {
  return std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc();
}

std::string_view without_space(std::string_view text) {
  const auto space = [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; };
  while (!text.empty() && space(text.back())) text.remove_suffix(1);
  while (!text.empty() && space(text.front())) text.remove_prefix(1);
  return text;
}

// Turns what simdjson walks over into values of our own.
class Builder {
 public:
  Builder(std::size_t depth, const char* end) : depth_(std::min(depth, kDeepest)), end_(end) {}

  Json document(ondemand::document& document, std::string_view text) {
    const char first = text.empty() ? '\0' : text.front();
    return first == '{' || first == '[' || first == '"' ? long_value(document, first) : lone_word(text);
  }

 private:
  // Where one ends is nothing to look up.
  static Json lone_word(std::string_view text) {
    if (text == "true" || text == "false") return Json(text == "true");
    return text == "null" ? Json() : Json::number(text);
  }

  Json long_value(ondemand::document& document, char first) {
    Json made = first == '{'   ? object(need(document.get_object()), 1)
                : first == '[' ? array(need(document.get_array()), 1)
                               : Json(need(document.get_string()));
    if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) not_json("text after the value");
    return made;
  }

  Json value(ondemand::value value, std::size_t depth) {
    const std::string_view token = value.raw_json_token();
    if (token.data() >= end_) not_json("it ends too early");
    switch (token.empty() ? '\0' : token.front()) {
      case '{':
        return object(need(value.get_object()), depth + 1);
      case '[':
        return array(need(value.get_array()), depth + 1);
      case '"':
        return Json(need(value.get_string()));
      case 't':
      case 'f':
        return Json(need(value.get_bool()));
      case 'n':
        if (!need(value.is_null())) not_json("null was expected");
        return Json();
      default:
        // Most numbers are small; the others show by their digits what they are.
        if (std::int64_t number = 0; value.get_int64().get(number) == simdjson::SUCCESS) return Json(number);
        return Json::number(without_space(token));
    }
  }

  Json object(ondemand::object object, std::size_t depth) {
    check(depth);
    Json::Object members;
    members.reserve(kFewMembers);
    for (auto each : object) {
      ondemand::field field = need(std::move(each));
      Json::Member& member = members.emplace_back();
      member.key = key(field);
      member.value = value(field.value(), depth);
    }
    return Json(std::move(members));
  }

  // Most keys stand in the text as they are.
  std::string_view key(ondemand::field& field) {
    const char* const from = field.key().raw();
    for (const char* at = from; at < end_ && *at != '\\'; ++at) {
      if (*at == '"') return {from, at};
    }
    return need(field.unescaped_key());
  }

  Json array(ondemand::array array, std::size_t depth) {
    check(depth);
    Json::Array values;
    for (auto each : array) values.push_back(value(need(std::move(each)), depth));
    return Json(std::move(values));
  }

  void check(std::size_t depth) const {
    if (depth > depth_) {
      throw JsonSyntaxError(Fault::too_deep, fmt::format("nested too deeply: at most {} levels", depth_));
    }
  }

  std::size_t depth_;
  const char* end_;
};

Json read(ondemand::parser& parser, std::string_view text, std::size_t readable, const JsonLimits& limits) {
  ondemand::document document = need(parser.iterate(text.data(), text.size(), readable));
  return Builder(limits.depth, text.data() + text.size()).document(document, without_space(text));
}

}  // namespace

Json Json::number(std::string_view digits) {
  bool integer = false;
  if (!number_shape(digits, integer)) not_json("no value that JSON knows");
  if (integer) {
    if (std::int64_t value; read_whole(digits, value)) return Json(value);
    if (std::uint64_t value; read_whole(digits, value)) return Json(value);
    return Json(Digits{std::string(digits)});
  }
  double value = 0;
  if (read_whole(digits, value) && std::isfinite(value)) return Json(value);
  return Json(Digits{std::string(digits)});
}

Json Json::parse_padded(std::string_view text, std::size_t readable, JsonLimits limits) {
  if (readable < text.size() + simdjson::SIMDJSON_PADDING) return parse(text, limits);
  if (text.size() > kKeptCapacity) {
    ondemand::parser own;
    return read(own, text, readable, limits);
  }
  // A fiber never leaves its thread and does not yield while it parses.
  thread_local ondemand::parser kept;
  return read(kept, text, readable, limits);
}

Json Json::parse(std::string_view text, JsonLimits limits) {
  const simdjson::padded_string padded(text);
  return parse_padded({padded.data(), padded.size()}, padded.size() + simdjson::SIMDJSON_PADDING, limits);
}

}  // namespace hawser
