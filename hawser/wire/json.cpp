#include <hawser/wire/json.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <memory>

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

// Of an Object, or of a list of Written.
template <class Members>
void refuse_keys_twice(const Members& members) {
  if (members.size() < kSortFrom) {
    const auto* const end = std::data(members) + members.size();
    for (const auto* member = std::data(members); member < end; ++member) {
      for (const auto* earlier = std::data(members); earlier < member; ++earlier) {
        if (member->key == earlier->key) key_twice(member->key);
      }
    }
    return;
  }
  std::vector<std::string_view> keys;
  keys.reserve(members.size());
  for (const auto& member : members) keys.emplace_back(member.key);
  std::ranges::sort(keys);
  const auto twice = std::ranges::adjacent_find(keys);
  if (twice != keys.end()) key_twice(*twice);
}

[[noreturn]] void missing(std::string_view key) { throw JsonError(fmt::format("\"{}\" is missing", key)); }

}  // namespace

Json::Json(double value) : held_(Held::real) {
  if (!std::isfinite(value)) throw JsonError("JSON has no infinities and no NaN");
  value_.real = value;
}

Json::Json(std::string value) noexcept : held_(Held::string) { std::construct_at(&value_.text, std::move(value)); }

Json::Json(Digits digits) noexcept : held_(Held::digits) { std::construct_at(&value_.text, std::move(digits.text)); }

Json::Json(Array values) noexcept : held_(Held::array) { std::construct_at(&value_.array, std::move(values)); }

Json::Json(Object members) {
  refuse_keys_twice(members);
  std::construct_at(&value_.object, std::move(members));
  held_ = Held::object;
}

void Json::refuse_double_keys(std::initializer_list<Written> members) { refuse_keys_twice(members); }

Json::Json(std::initializer_list<Written> members) : Json() {
  refuse_double_keys(members);
  std::construct_at(&value_.object);
  held_ = Held::object;
  value_.object.reserve(members.size());
  for (const Written& written : members) {
    Member& member = value_.object.emplace_back();
    member.key = written.key;
    member.value = std::move(written.value);
  }
}

Json::Json(const Json& other) { copy(other); }

Json& Json::operator=(const Json& other) { return *this = Json(other); }

void Json::replace(Json& other) noexcept {
  Json taken(std::move(other));  // which may be a part of this
  if (!is_word()) drop_large();
  take(taken);
}

void Json::copy(const Json& other) {
  switch (other.held_) {
    case Held::digits:
    case Held::string:
      std::construct_at(&value_.text, other.value_.text);
      break;
    case Held::array:
      std::construct_at(&value_.array, other.value_.array);
      break;
    case Held::object:
      std::construct_at(&value_.object, other.value_.object);
      break;
    default:
      value_.word = other.value_.word;
  }
  held_ = other.held_;
}

void Json::take_large(Json& other) noexcept {
  const auto move = [](auto& from, auto& to) {
    std::construct_at(&to, std::move(from));
    std::destroy_at(&from);
  };
  switch (other.held_) {
    case Held::array:
      move(other.value_.array, value_.array);
      break;
    case Held::object:
      move(other.value_.object, value_.object);
      break;
    default:
      move(other.value_.text, value_.text);
  }
  held_ = std::exchange(other.held_, Held::null);
}

void Json::drop_large() noexcept {
  switch (held_) {
    case Held::array:
      std::destroy_at(&value_.array);
      break;
    case Held::object:
      std::destroy_at(&value_.object);
      break;
    default:
      std::destroy_at(&value_.text);
  }
}

Json Json::object() { return Json(Object()); }

Json Json::array(std::initializer_list<Json> values) { return Json(Array(values)); }

const Json* Json::find(std::string_view key) const noexcept {
  if (held_ != Held::object) return nullptr;
  for (const Member& member : value_.object) {
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
  if (is_null()) *this = object();
  if (held_ != Held::object) wrong_kind("", "an object", *this);
  for (Member& member : value_.object) {
    if (member.key == key) {
      member.value = std::move(value);
      return *this;
    }
  }
  value_.object.push_back({std::string(key), std::move(value)});
  return *this;
}

Json& Json::push_back(Json value) {
  if (is_null()) *this = array();
  if (held_ != Held::array) wrong_kind("", "an array", *this);
  value_.array.push_back(std::move(value));
  return *this;
}

bool operator==(const Json& a, const Json& b) {
  using Held = Json::Held;
  if (a.held_ != b.held_) return false;
  switch (a.held_) {
    case Held::null:
      return true;
    case Held::boolean:
      return a.value_.boolean == b.value_.boolean;
    case Held::int64:
      return a.value_.int64 == b.value_.int64;
    case Held::uint64:
      return a.value_.uint64 == b.value_.uint64;
    case Held::real:
      return a.value_.real == b.value_.real;
    case Held::digits:
    case Held::string:
      return a.value_.text == b.value_.text;
    case Held::array:
      return a.value_.array == b.value_.array;
    case Held::object:
      break;
  }
  const Json::Object& mine = a.value_.object;
  return mine.size() == b.value_.object.size() && std::ranges::all_of(mine, [&](const Json::Member& member) {
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
  if (json.held_ == Json::Held::boolean) return json.value_.boolean;
  wrong_kind(key_, "a boolean", json);
}

std::int64_t JsonField::as_int64() const {
  const Json& json = value();
  if (json.held_ == Json::Held::int64) return json.value_.int64;
  wrong_kind(key_, "an integer of 64 bits", json);
}

std::uint64_t JsonField::as_uint64() const {
  const Json& json = value();
  if (const std::optional<std::uint64_t> number = json.to_uint64()) return *number;
  wrong_kind(key_, "an integer of 64 bits, not negative", json);
}

double JsonField::as_double() const {
  const Json& json = value();
  if (json.held_ == Json::Held::real) return json.value_.real;
  if (json.held_ == Json::Held::int64) return static_cast<double>(json.value_.int64);
  if (json.held_ == Json::Held::uint64) return static_cast<double>(json.value_.uint64);
  if (json.held_ == Json::Held::digits) {
    const double rounded = std::strtod(json.value_.text.c_str(), nullptr);
    if (std::isfinite(rounded)) return rounded;
  }
  wrong_kind(key_, "a number within the range of a double", json);
}

const std::string& JsonField::as_string() const {
  const Json& json = value();
  if (json.held_ == Json::Held::string) return json.value_.text;
  wrong_kind(key_, "a string", json);
}

const Json::Array& JsonField::as_array() const {
  const Json& json = value();
  if (json.held_ == Json::Held::array) return json.value_.array;
  wrong_kind(key_, "an array", json);
}

const Json::Object& JsonField::as_object() const {
  const Json& json = value();
  if (json.held_ == Json::Held::object) return json.value_.object;
  wrong_kind(key_, "an object", json);
}

JsonField JsonField::operator[](std::string_view key) const { return value()[key]; }

}  // namespace hawser
