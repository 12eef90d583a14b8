// Json: one JSON value, as read from a header or written into one.
//
//   Json header = {{"cmd", "put"}, {"path", "a.txt"}, {"size", n}, {"tags", Json::array({"x", "y"})}};
//   std::string path = header["path"].as_string();
//
// Objects keep their keys in the order in which they came, unknown ones included. Integers beyond 64 bits, and reals
// that no double can hold, are kept as the digits they were written with and survive a round trip unchanged.
//
// Reading (RFC 8259, strictly) refuses invalid UTF-8, the same key twice in one object, lone surrogates, trailing text
// and nesting beyond JsonLimits::depth. Nothing here waits. A Json is a plain value: copies are independent, and one
// object must not be changed by one thread while another uses it.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hawser {

// A value was not there, was of another kind, or was out of range. The message names the key and what was found.
class JsonError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The text was not JSON that we accept.
class JsonSyntaxError : public JsonError {
 public:
  enum class Fault : std::uint8_t { not_json, duplicate_key, invalid_utf8, too_deep };
  JsonSyntaxError(Fault fault, const std::string& what) : JsonError(what), fault_(fault) {}
  [[nodiscard]] Fault fault() const noexcept { return fault_; }

 private:
  Fault fault_;
};

struct JsonLimits {
  std::size_t depth = 64;  // how deep arrays and objects may nest; at most 100 are ever allowed
};

class JsonField;

class Json {
 public:
  struct Member;
  struct Written;
  using Array = std::vector<Json>;
  using Object = std::vector<Member>;
  enum class Type : std::uint8_t { null, boolean, number, string, array, object };

  // NOLINTBEGIN(google-explicit-constructor): a header is written as a list of plain values
  Json() noexcept;  // null
  Json(std::nullptr_t) noexcept;
  template <std::same_as<bool> B>
  Json(B value) noexcept : Json(Boolean{value}) {}
  template <std::signed_integral I>
  requires(!std::same_as<I, char>) Json(I value)
  noexcept : Json(Signed{value}) {}
  template <std::unsigned_integral U>
  requires(!std::same_as<U, bool> && !std::same_as<U, char>) Json(U value)
  noexcept : Json(Unsigned{value}) {}
  // Throws JsonError for infinities and NaN, which JSON cannot write.
  Json(double value);
  Json(std::string value) noexcept;
  Json(std::string_view value);
  Json(const char* value);
  Json(Array values) noexcept;
  Json(Object members);                          // throws JsonSyntaxError (duplicate_key)
  Json(std::initializer_list<Written> members);  // an object; the same
  // NOLINTEND(google-explicit-constructor)
  Json(const Json& other);
  Json(Json&& other) noexcept;  // leaves null behind
  Json& operator=(const Json& other);
  Json& operator=(Json&& other) noexcept;
  ~Json();

  [[nodiscard]] static Json object();
  [[nodiscard]] static Json array(std::initializer_list<Json> values = {});
  // An array of whatever converts to Json.
  template <std::ranges::input_range R>
  [[nodiscard]] static Json array_of(R&& values) {
    Array made;
    for (auto&& value : values) made.emplace_back(value);
    return made;
  }
  // A number of any size, written in JSON's grammar. Throws JsonSyntaxError when it is not a number.
  [[nodiscard]] static Json number(std::string_view digits);

  // Throws JsonSyntaxError.
  [[nodiscard]] static Json parse(std::string_view text, JsonLimits limits = {});
  // The same where `readable` bytes from text.data() on may be read (not only text.size()): with 64 to spare, nothing
  // is copied.
  [[nodiscard]] static Json parse_padded(std::string_view text, std::size_t readable, JsonLimits limits = {});

  // Compact UTF-8 text, without spaces or a line end. Strings that are not valid UTF-8 get U+FFFD for what is wrong.
  [[nodiscard]] std::string dump() const;
  void append_to(std::string& out) const;
  // The text of Json(members), without making it. Throws JsonSyntaxError (duplicate_key) and appends nothing then.
  static void append_object_to(std::string& out, std::initializer_list<Written> members);

  [[nodiscard]] Type type() const noexcept;
  [[nodiscard]] bool is_null() const noexcept { return held_ == Held::null; }
  [[nodiscard]] bool is_bool() const noexcept { return held_ == Held::boolean; }
  [[nodiscard]] bool is_number() const noexcept { return type() == Type::number; }
  [[nodiscard]] bool is_string() const noexcept { return held_ == Held::string; }
  [[nodiscard]] bool is_array() const noexcept { return held_ == Held::array; }
  [[nodiscard]] bool is_object() const noexcept { return held_ == Held::object; }

  // Each throws JsonError when the value is of another kind or, for numbers, does not fit.
  [[nodiscard]] bool as_bool() const;
  [[nodiscard]] std::int64_t as_int64() const;
  [[nodiscard]] std::uint64_t as_uint64() const;
  [[nodiscard]] double as_double() const;  // any number; rounded when it must be
  [[nodiscard]] const std::string& as_string() const;
  [[nodiscard]] const Array& as_array() const;
  [[nodiscard]] const Object& as_object() const;
  // An integer that fits; nothing for anything else.
  [[nodiscard]] std::optional<std::uint64_t> to_uint64() const noexcept;
  // The digits of any number, exact also beyond 64 bits.
  [[nodiscard]] std::string as_number_text() const;

  // The member of that name; nothing when there is none or when this is not an object.
  [[nodiscard]] const Json* find(std::string_view key) const noexcept;
  [[nodiscard]] bool contains(std::string_view key) const noexcept { return find(key) != nullptr; }
  // The member of that name, which may be missing: asking a missing one for its value throws JsonError naming the key.
  [[nodiscard]] JsonField operator[](std::string_view key) const noexcept;

  // The member's value, or fallback when it is missing or null. Throws JsonError naming the key when it is of another
  // kind.
  [[nodiscard]] std::string get_string(std::string_view key, std::string_view fallback) const;
  [[nodiscard]] bool get_bool(std::string_view key, bool fallback) const;
  [[nodiscard]] std::int64_t get_int64(std::string_view key, std::int64_t fallback) const;
  [[nodiscard]] std::uint64_t get_uint64(std::string_view key, std::uint64_t fallback) const;

  // Sets a member, replacing the one of that name. Makes an object out of null; JsonError on any other kind.
  Json& set(std::string_view key, Json value);
  // Appends to an array. Makes one out of null; JsonError on any other kind.
  Json& push_back(Json value);

  // Equal values; the order of an object's keys does not count. 1 and 1.0 differ.
  friend bool operator==(const Json& a, const Json& b);

 private:
  friend class JsonField;
  class Writer;
  // uint64 is used only for what int64 cannot hold, digits only for what neither they nor a real can. Those up to real
  // are plain words.
  enum class Held : std::uint8_t { null, boolean, int64, uint64, real, digits, string, array, object };
  // What is held. Not a std::variant: its copies, moves and ends go through a table of functions each, and what a
  // header consists of is mostly words.
  union Value {
    Value() noexcept : word(0) {}
    Value(const Value&) = delete;
    Value& operator=(const Value&) = delete;
    ~Value() {}  // NOLINT(modernize-use-equals-default): Json knows what is in it

    std::uint64_t word;
    bool boolean;
    std::int64_t int64;
    std::uint64_t uint64;
    double real;
    std::string text;  // digits, string
    Array array;
    Object object;
  };
  struct Boolean {
    bool value;
  };
  struct Signed {
    std::int64_t value;
  };
  struct Unsigned {
    std::uint64_t value;
  };
  struct Digits {
    std::string text;
  };
  explicit Json(Boolean value) noexcept;
  explicit Json(Signed number) noexcept;
  explicit Json(Unsigned number) noexcept;
  explicit Json(Digits digits) noexcept;

  static void refuse_double_keys(std::initializer_list<Written> members);

  [[nodiscard]] bool is_word() const noexcept { return held_ < Held::digits; }
  // In place of a word: copies, or moves and leaves null behind.
  void copy(const Json& other);
  void take(Json& other) noexcept;
  void take_large(Json& other) noexcept;
  void replace(Json& other) noexcept;
  void drop_large() noexcept;

  Value value_;
  Held held_ = Held::null;
};

struct Json::Member {
  std::string key;
  Json value;
};

// A member as a program writes it down, {"size", 5}: only for the list that makes an object, which takes the value out.
struct Json::Written {
  std::string_view key;
  mutable Json value;
};

// Here, where a Member is known: what handles the vector of them cannot come earlier.
inline Json::Json() noexcept = default;
inline Json::Json(std::nullptr_t) noexcept {}
inline Json::Json(Boolean value) noexcept : held_(Held::boolean) { value_.boolean = value.value; }
inline Json::Json(Signed number) noexcept : held_(Held::int64) { value_.int64 = number.value; }
inline Json::Json(Unsigned number) noexcept {
  if (std::in_range<std::int64_t>(number.value)) {
    held_ = Held::int64;
    value_.int64 = static_cast<std::int64_t>(number.value);
  } else {
    held_ = Held::uint64;
    value_.uint64 = number.value;
  }
}
inline Json::Json(const char* value) : Json(std::string(value)) {}
inline Json::Json(std::string_view value) : Json(std::string(value)) {}
inline Json::Json(Json&& other) noexcept { take(other); }
inline Json& Json::operator=(Json&& other) noexcept {
  if (!is_word()) {
    replace(other);
  } else if (this != &other) {
    take(other);
  }
  return *this;
}
inline Json::~Json() {
  if (!is_word()) drop_large();
}

inline Json::Type Json::type() const noexcept {
  constexpr Type kTypes[] = {Type::null,   Type::boolean, Type::number, Type::number, Type::number,
                             Type::number, Type::string,  Type::array,  Type::object};
  return kTypes[static_cast<std::size_t>(held_)];
}
inline std::optional<std::uint64_t> Json::to_uint64() const noexcept {
  if (held_ == Held::int64 && value_.int64 >= 0) return static_cast<std::uint64_t>(value_.int64);
  if (held_ == Held::uint64) return value_.uint64;
  return std::nullopt;
}
inline void Json::take(Json& other) noexcept {
  if (!other.is_word()) return take_large(other);
  value_.word = other.value_.word;
  held_ = std::exchange(other.held_, Held::null);
}

// What header["key"] gives: a member that may be missing. It knows its key, so that errors can name it. It borrows the
// key's text and the value: use it at once.
class JsonField {
 public:
  JsonField(std::string_view key, const Json* value) noexcept : key_(key), value_(value) {}

  [[nodiscard]] bool present() const noexcept { return value_ != nullptr; }
  // Throws JsonError when it is missing; so do all below.
  [[nodiscard]] const Json& value() const;
  operator const Json&() const { return value(); }  // NOLINT(google-explicit-constructor)

  [[nodiscard]] bool as_bool() const;
  [[nodiscard]] std::int64_t as_int64() const;
  [[nodiscard]] std::uint64_t as_uint64() const;
  [[nodiscard]] double as_double() const;
  [[nodiscard]] const std::string& as_string() const;
  [[nodiscard]] const Json::Array& as_array() const;
  [[nodiscard]] const Json::Object& as_object() const;
  // A member of this member.
  [[nodiscard]] JsonField operator[](std::string_view key) const;

 private:
  std::string_view key_;
  const Json* value_;
};

inline JsonField Json::operator[](std::string_view key) const noexcept { return {key, find(key)}; }

}  // namespace hawser
