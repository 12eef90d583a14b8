#include <hawser/wire/json.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace hawser {

namespace {

std::string_view kind_name(const Json& value) {
  switch (value.type()) {
    case Json::Type::null:
      return "null";
    case Json::Type::boolean:
      return "a boolean";
    case Json::Type::number:
      return "a number";
    case Json::Type::string:
      return "a string";
    case Json::Type::array:
      return "an array";
    case Json::Type::object:
      return "an object";
  }
  return "nothing";
}

std::string found(const Json& value) {
  if (value.is_number()) {
    std::string text = value.as_number_text();
    if (text.size() > 40) text = text.substr(0, 37) + "...";
    return "the number " + text;
  }
  return std::string(kind_name(value));
}

// The start of an error's message: which key it is about, if any.
std::string about(std::string_view key) { return key.empty() ? std::string() : fmt::format("\"{}\": ", key); }

[[noreturn]] void wrong_kind(std::string_view key, std::string_view wanted, const Json& value) {
  throw JsonError(fmt::format("{}wanted {}, found {}", about(key), wanted, found(value)));
}

// From this many members on, a key that comes twice is looked for by sorting.
constexpr std::size_t kSortFrom = 24;

[[noreturn]] void key_twice(std::string_view key) {
  throw JsonSyntaxError(JsonSyntaxError::Fault::duplicate_key,
                        fmt::format("the key \"{}\" comes twice", key.size() > 64 ? key.substr(0, 64) : key));
}

void refuse_double_keys(const Json::Object& members) {
  if (members.size() < kSortFrom) {
    for (std::size_t i = 1; i < members.size(); ++i) {
      for (std::size_t k = 0; k < i; ++k) {
        if (members[i].key == members[k].key) key_twice(members[i].key);
      }
    }
    return;
  }
  std::vector<std::string_view> keys;
  keys.reserve(members.size());
  for (const Json::Member& member : members) keys.emplace_back(member.key);
  std::ranges::sort(keys);
  const auto twice = std::ranges::adjacent_find(keys);
  if (twice != keys.end()) key_twice(*twice);
}

[[noreturn]] void missing(std::string_view key) { throw JsonError(fmt::format("\"{}\" is missing", key)); }

}  // namespace

Json::Json(double value) : value_(value) {
  if (!std::isfinite(value)) throw JsonError("JSON has no infinities and no NaN");
}

Json::Json(Unsigned number) noexcept {
  if (number.value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    value_ = static_cast<std::int64_t>(number.value);
  } else {
    value_ = number.value;
  }
}

Json::Json(Object members) {
  refuse_double_keys(members);
  value_ = std::move(members);
}

Json::Json(std::initializer_list<Member> members) : Json(Object(members)) {}

Json Json::object() { return Json(Object()); }

Json Json::array(std::initializer_list<Json> values) { return Json(Array(values)); }

Json::Type Json::type() const noexcept {
  static constexpr Type kTypes[] = {Type::null,   Type::boolean, Type::number, Type::number, Type::number,
                                    Type::number, Type::string,  Type::array,  Type::object};
  return kTypes[value_.index()];
}

const Json* Json::find(std::string_view key) const noexcept {
  const auto* members = std::get_if<Object>(&value_);
  if (members == nullptr) return nullptr;
  for (const Member& member : *members) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

bool Json::as_bool() const { return JsonField("", this).as_bool(); }
std::int64_t Json::as_int64() const { return JsonField("", this).as_int64(); }
std::uint64_t Json::as_uint64() const { return JsonField("", this).as_uint64(); }
double Json::as_double() const { return JsonField("", this).as_double(); }
const std::string& Json::as_string() const { return JsonField("", this).as_string(); }
const Json::Array& Json::as_array() const { return JsonField("", this).as_array(); }
const Json::Object& Json::as_object() const { return JsonField("", this).as_object(); }

std::string Json::as_number_text() const {
  if (!is_number()) wrong_kind("", "a number", *this);
  return dump();
}

namespace {

// The member to be read by one of the get_ functions; nothing when the fallback stands.
const Json* given(const Json& object, std::string_view key) noexcept {
  const Json* value = object.find(key);
  return value != nullptr && !value->is_null() ? value : nullptr;
}

}  // namespace

std::string Json::get_string(std::string_view key, std::string_view fallback) const {
  const Json* value = given(*this, key);
  return value != nullptr ? JsonField(key, value).as_string() : std::string(fallback);
}
bool Json::get_bool(std::string_view key, bool fallback) const {
  const Json* value = given(*this, key);
  return value != nullptr ? JsonField(key, value).as_bool() : fallback;
}
std::int64_t Json::get_int64(std::string_view key, std::int64_t fallback) const {
  const Json* value = given(*this, key);
  return value != nullptr ? JsonField(key, value).as_int64() : fallback;
}
std::uint64_t Json::get_uint64(std::string_view key, std::uint64_t fallback) const {
  const Json* value = given(*this, key);
  return value != nullptr ? JsonField(key, value).as_uint64() : fallback;
}

Json& Json::set(std::string_view key, Json value) {
  if (is_null()) value_ = Object();
  auto* members = std::get_if<Object>(&value_);
  if (members == nullptr) wrong_kind("", "an object", *this);
  for (Member& member : *members) {
    if (member.key == key) {
      member.value = std::move(value);
      return *this;
    }
  }
  members->push_back({std::string(key), std::move(value)});
  return *this;
}

Json& Json::push_back(Json value) {
  if (is_null()) value_ = Array();
  auto* values = std::get_if<Array>(&value_);
  if (values == nullptr) wrong_kind("", "an array", *this);
  values->push_back(std::move(value));
  return *this;
}

bool operator==(const Json& a, const Json& b) {
  if (a.value_.index() != b.value_.index()) return false;
  switch (a.value_.index()) {
    case 0:
      return true;
    case 1:
      return std::get<1>(a.value_) == std::get<1>(b.value_);
    case 2:
      return std::get<2>(a.value_) == std::get<2>(b.value_);
    case 3:
      return std::get<3>(a.value_) == std::get<3>(b.value_);
    case 4:
      return std::get<4>(a.value_) == std::get<4>(b.value_);
    case 5:
      return std::get<5>(a.value_).text == std::get<5>(b.value_).text;
    case 6:
      return std::get<6>(a.value_) == std::get<6>(b.value_);
    case 7:
      return std::get<7>(a.value_) == std::get<7>(b.value_);
    default:
      break;
  }
  const auto& mine = std::get<Json::Object>(a.value_);
  const auto& other = std::get<Json::Object>(b.value_);
  return mine.size() == other.size() && std::ranges::all_of(mine, [&](const Json::Member& member) {
           const Json* same = b.find(member.key);
           return same != nullptr && *same == member.value;
         });
}

const Json& JsonField::value() const {
  if (value_ == nullptr) missing(key_);
  return *value_;
}

bool JsonField::as_bool() const {
  const Json& json = value();
  if (const auto* held = std::get_if<bool>(&json.value_)) return *held;
  wrong_kind(key_, "a boolean", json);
}

std::int64_t JsonField::as_int64() const {
  const Json& json = value();
  if (const auto* held = std::get_if<std::int64_t>(&json.value_)) return *held;
  wrong_kind(key_, "an integer of 64 bits", json);
}

std::uint64_t JsonField::as_uint64() const {
  const Json& json = value();
  if (const auto* held = std::get_if<std::int64_t>(&json.value_); held != nullptr && *held >= 0) {
    return static_cast<std::uint64_t>(*held);
  }
  if (const auto* held = std::get_if<std::uint64_t>(&json.value_)) return *held;
  wrong_kind(key_, "an integer of 64 bits, not negative", json);
}

double JsonField::as_double() const {
  const Json& json = value();
  if (const auto* held = std::get_if<double>(&json.value_)) return *held;
  if (const auto* held = std::get_if<std::int64_t>(&json.value_)) return static_cast<double>(*held);
  if (const auto* held = std::get_if<std::uint64_t>(&json.value_)) return static_cast<double>(*held);
  if (const auto* held = std::get_if<Json::Digits>(&json.value_)) {
    const double rounded = std::strtod(held->text.c_str(), nullptr);
    if (std::isfinite(rounded)) return rounded;
  }
  wrong_kind(key_, "a number within the range of a double", json);
}

const std::string& JsonField::as_string() const {
  const Json& json = value();
  if (const auto* held = std::get_if<std::string>(&json.value_)) return *held;
  wrong_kind(key_, "a string", json);
}

const Json::Array& JsonField::as_array() const {
  const Json& json = value();
  if (const auto* held = std::get_if<Json::Array>(&json.value_)) return *held;
  wrong_kind(key_, "an array", json);
}

const Json::Object& JsonField::as_object() const {
  const Json& json = value();
  if (const auto* held = std::get_if<Json::Object>(&json.value_)) return *held;
  wrong_kind(key_, "an object", json);
}

JsonField JsonField::operator[](std::string_view key) const { return value()[key]; }

}  // namespace hawser
