// How a value crosses a process border: to_bytes(value) here, from_bytes<T>(bytes) over there.
//
// Serialisable are: numbers, bool, enums, std::byte; std::string, Bytes, std::filesystem::path; vector, array, deque,
// list, the maps and sets; optional, variant, pair, tuple, unique_ptr of one object; durations and time points;
// std::error_code of the system's and the generic category; and structs: plain ones of up to 16 members as they are,
// any other type by one function beside it, or a member, that names what it consists of, for both directions:
//
//   struct Account { Account() = default; ... private: std::string name_; int balance_ = 0;
//     template <class Archive> void serialise(Archive& archive) { archive(name_, balance_); } ... };
//   template <class Archive> void serialise(Archive& archive, Point& p) { archive(p.x, p.y); }
//
// A type that contains itself (a tree) needs such a function too. What only points at something (pointers, references,
// string_view, span), what belongs to one process (locks, threads, sockets) and what has no default constructor is not
// serialisable, and the compiler says so. Values are copied; two pointers to one object become two objects.
//
// from_bytes() throws SerialiseError for anything that is no value of the type; see archive.h. `serialise` must not
// change the value when Archive::kWrites.
#pragma once

#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <ranges>
#include <set>
#include <string>
#include <system_error>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include <hawser/base/bytes.h>
#include <hawser/process/aggregate.h>
#include <hawser/process/archive.h>

namespace hawser {

// T can cross a process border.
template <class T>
concept Serialisable = !std::is_reference_v<T> && detail::Wire<std::remove_cv_t<T>>::kKnown;

namespace detail {

template <class T>
concept HasMemberHook = requires(T& value, ArchiveWriter& writer, ArchiveReader& reader) {
  value.serialise(writer);
  value.serialise(reader);
};
template <class T>
concept HasFreeHook = requires(T& value, ArchiveWriter& writer, ArchiveReader& reader) {
  serialise(writer, value);
  serialise(reader, value);
};

// Written as their bytes, whatever these are.
template <class T>
concept WireNumber = (std::is_arithmetic_v<T> && !std::same_as<T, bool>) || std::is_enum_v<T>;

// The primary template: hooks and plain structs, or nothing.
template <class T>
struct Wire {
  static constexpr bool known() {
    if constexpr (HasMemberHook<T> || HasFreeHook<T>) {
      return std::default_initializable<T> && std::movable<T>;
    } else if constexpr (PlainStruct<T>) {
      if constexpr (std::default_initializable<T> && std::movable<T>) {
        return member_count<T>() <= kMostMembers && members_known();
      } else {
        return false;
      }
    } else {
      return false;
    }
  }
  static constexpr bool members_known() {
    return decltype(with_members<member_count<T>()>(
        std::declval<T&>(), []<class... M>(M&...) { return std::bool_constant<(Serialisable<M> && ...)>(); }))::value;
  }
  static constexpr bool kKnown = known();

  template <class Archive>
  static void both(Archive& archive, T& value) {
    if constexpr (HasMemberHook<T>) {
      value.serialise(archive);
    } else if constexpr (HasFreeHook<T>) {
      serialise(archive, value);
    } else {
      with_members<member_count<T>()>(value, [&](auto&... members) { archive(members...); });
    }
  }
  // One byte at least, so that no length can promise more values than there are bytes.
  static void write(ArchiveWriter& archive, const T& value) {
    archive.raw("", 1);
    both(archive, const_cast<T&>(value));  // NOLINT(cppcoreguidelines-pro-type-const-cast): read only
  }
  static void read(ArchiveReader& archive, T& value) {
    static_cast<void>(archive.take(1));
    both(archive, value);
  }
};

template <class T>
struct Wire<const T> : Wire<T> {};

template <WireNumber T>
struct Wire<T> {
  static constexpr bool kKnown = true;
  static void write(ArchiveWriter& archive, T value) { archive.raw(&value, sizeof value); }
  static void read(ArchiveReader& archive, T& value) { archive.raw(&value, sizeof value); }
};

// A bool of any other value than 0 and 1 is undefined behaviour.
template <>
struct Wire<bool> {
  static constexpr bool kKnown = true;
  static void write(ArchiveWriter& archive, bool value) { archive.raw(value ? "\1" : "\0", 1); }
  static void read(ArchiveReader& archive, bool& value) {
    const std::byte byte = archive.take(1)[0];
    if (byte > std::byte{1}) ArchiveReader::fail("a bool that is neither true nor false");
    value = byte == std::byte{1};
  }
};

template <>
struct Wire<std::string> {
  static constexpr bool kKnown = true;
  static void write(ArchiveWriter& archive, const std::string& value) {
    archive.length(value.size());
    archive.raw(value.data(), value.size());
  }
  static void read(ArchiveReader& archive, std::string& value) {
    const std::span<const std::byte> bytes = archive.take(archive.length(1, 1));
    value.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
};

template <>
struct Wire<Bytes> {
  static constexpr bool kKnown = true;
  static void write(ArchiveWriter& archive, const Bytes& value) {
    archive.length(value.size());
    archive.raw(value.data(), value.size());
  }
  static void read(ArchiveReader& archive, Bytes& value) { value = Bytes(archive.take(archive.length(1, 1))); }
};

template <>
struct Wire<std::filesystem::path> {
  static constexpr bool kKnown = true;
  static void write(ArchiveWriter& archive, const std::filesystem::path& value) { archive(value.native()); }
  static void read(ArchiveReader& archive, std::filesystem::path& value) {
    std::string text;
    archive(text);
    value = std::move(text);
  }
};

template <>
struct Wire<std::monostate> {
  static constexpr bool kKnown = true;
  static void write(ArchiveWriter& archive, std::monostate /*value*/) { archive.raw("", 1); }
  static void read(ArchiveReader& archive, std::monostate& /*value*/) { static_cast<void>(archive.take(1)); }
};

template <>
struct Wire<std::error_code> {
  static constexpr bool kKnown = true;
  static void write(ArchiveWriter& archive, const std::error_code& value) {
    const bool system = value.category() == std::system_category();
    if (!system && value.category() != std::generic_category()) {
      throw SerialiseError(std::string("an error of category '") + value.category().name() +
                           "' cannot cross a process border");
    }
    archive(system, value.value());
  }
  static void read(ArchiveReader& archive, std::error_code& value) {
    bool system = false;
    int number = 0;
    archive(system, number);
    value.assign(number, system ? std::system_category() : std::generic_category());
  }
};

template <class Rep, class Period>
struct Wire<std::chrono::duration<Rep, Period>> {
  static constexpr bool kKnown = Serialisable<Rep>;
  static void write(ArchiveWriter& archive, std::chrono::duration<Rep, Period> value) { archive(value.count()); }
  static void read(ArchiveReader& archive, std::chrono::duration<Rep, Period>& value) {
    Rep count{};
    archive(count);
    value = std::chrono::duration<Rep, Period>(count);
  }
};

// The steady clock is the machine's: a moment means the same in every process.
template <class AnyClock, class Length>
struct Wire<std::chrono::time_point<AnyClock, Length>> {
  using T = std::chrono::time_point<AnyClock, Length>;
  static constexpr bool kKnown = Serialisable<Length>;
  static void write(ArchiveWriter& archive, T value) { archive(value.time_since_epoch()); }
  static void read(ArchiveReader& archive, T& value) {
    Length length{};
    archive(length);
    value = T(length);
  }
};

template <class T>
concept Rebuilt = Serialisable<T> && std::default_initializable<std::remove_cv_t<T>>;

// vector, deque, list: grown as items come, so that the memory follows the bytes.
template <class Sequence, class T>
struct WireSequence {
  static constexpr bool kKnown = Rebuilt<T>;
  static constexpr bool kFlat = WireNumber<T> && std::ranges::contiguous_range<Sequence> && !std::same_as<T, bool>;

  static void write(ArchiveWriter& archive, const Sequence& values) {
    archive.length(values.size());
    if constexpr (kFlat) {
      archive.raw(std::ranges::data(values), values.size() * sizeof(T));
    } else {
      for (const T& value : values) archive(value);
    }
  }
  static void read(ArchiveReader& archive, Sequence& values) {
    values.clear();
    if constexpr (kFlat) {
      const std::size_t count = archive.length(sizeof(T), sizeof(T));
      values.resize(count);
      archive.raw(std::ranges::data(values), count * sizeof(T));
    } else {
      for (std::size_t left = archive.length(1, sizeof(T)); left > 0; --left) {
        T value{};
        archive(value);
        values.push_back(std::move(value));
      }
    }
  }
};
template <class T, class A>
struct Wire<std::vector<T, A>> : WireSequence<std::vector<T, A>, T> {};
template <class T, class A>
struct Wire<std::deque<T, A>> : WireSequence<std::deque<T, A>, T> {};
template <class T, class A>
struct Wire<std::list<T, A>> : WireSequence<std::list<T, A>, T> {};

template <class T, std::size_t N>
struct Wire<std::array<T, N>> {
  static constexpr bool kKnown = Serialisable<T> && N > 0;
  static void write(ArchiveWriter& archive, const std::array<T, N>& values) {
    for (const T& value : values) archive(value);
  }
  static void read(ArchiveReader& archive, std::array<T, N>& values) {
    for (T& value : values) archive(value);
  }
};

// Sets (Item is the key) and maps (Item is a pair).
template <class Container, class Item>
struct WireTree {
  static constexpr bool kKnown = Rebuilt<Item>;
  static void write(ArchiveWriter& archive, const Container& items) {
    archive.length(items.size());
    for (const auto& item : items) Wire<std::remove_cvref_t<decltype(item)>>::write(archive, item);
  }
  static void read(ArchiveReader& archive, Container& items) {
    items.clear();
    constexpr std::size_t kNode = sizeof(Item) + 4 * sizeof(void*);
    for (std::size_t left = archive.length(1, kNode); left > 0; --left) {
      Item item{};
      archive(item);
      items.insert(std::move(item));
    }
  }
};
template <class K, class C, class A>
struct Wire<std::set<K, C, A>> : WireTree<std::set<K, C, A>, K> {};
template <class K, class C, class A>
struct Wire<std::multiset<K, C, A>> : WireTree<std::multiset<K, C, A>, K> {};
template <class K, class H, class E, class A>
struct Wire<std::unordered_set<K, H, E, A>> : WireTree<std::unordered_set<K, H, E, A>, K> {};
template <class K, class H, class E, class A>
struct Wire<std::unordered_multiset<K, H, E, A>> : WireTree<std::unordered_multiset<K, H, E, A>, K> {};
template <class K, class V, class C, class A>
struct Wire<std::map<K, V, C, A>> : WireTree<std::map<K, V, C, A>, std::pair<K, V>> {};
template <class K, class V, class C, class A>
struct Wire<std::multimap<K, V, C, A>> : WireTree<std::multimap<K, V, C, A>, std::pair<K, V>> {};
template <class K, class V, class H, class E, class A>
struct Wire<std::unordered_map<K, V, H, E, A>> : WireTree<std::unordered_map<K, V, H, E, A>, std::pair<K, V>> {};
template <class K, class V, class H, class E, class A>
struct Wire<std::unordered_multimap<K, V, H, E, A>>
    : WireTree<std::unordered_multimap<K, V, H, E, A>, std::pair<K, V>> {};

template <class A, class B>
struct Wire<std::pair<A, B>> {
  static constexpr bool kKnown = Serialisable<A> && Serialisable<B>;
  static void write(ArchiveWriter& archive, const std::pair<A, B>& value) { archive(value.first, value.second); }
  static void read(ArchiveReader& archive, std::pair<A, B>& value) { archive(value.first, value.second); }
};

template <class... T>
struct Wire<std::tuple<T...>> {
  static constexpr bool kKnown = (Serialisable<T> && ...);
  static void write(ArchiveWriter& archive, const std::tuple<T...>& value) {
    if constexpr (sizeof...(T) == 0) archive.raw("", 1);
    std::apply([&](const T&... items) { archive(items...); }, value);
  }
  static void read(ArchiveReader& archive, std::tuple<T...>& value) {
    if constexpr (sizeof...(T) == 0) static_cast<void>(archive.take(1));
    std::apply([&](T&... items) { archive(items...); }, value);
  }
};

template <class T>
struct Wire<std::optional<T>> {
  static constexpr bool kKnown = Rebuilt<T>;
  static void write(ArchiveWriter& archive, const std::optional<T>& value) {
    archive(value.has_value());
    if (value) archive(*value);
  }
  static void read(ArchiveReader& archive, std::optional<T>& value) {
    bool has = false;
    archive(has);
    value.reset();
    if (has) archive(value.emplace());
  }
};

template <class T>
struct Wire<std::unique_ptr<T>> {
  static constexpr bool kKnown = !std::is_array_v<T> && !std::is_polymorphic_v<T> && Rebuilt<T>;
  static void write(ArchiveWriter& archive, const std::unique_ptr<T>& value) {
    archive(value != nullptr);
    if (value) archive(*value);
  }
  static void read(ArchiveReader& archive, std::unique_ptr<T>& value) {
    bool has = false;
    archive(has);
    value.reset();
    if (!has) return;
    archive.charge(sizeof(T));
    value = std::make_unique<T>();
    archive(*value);
  }
};

template <class... T>
struct Wire<std::variant<T...>> {
  static constexpr bool kKnown = (Rebuilt<T> && ...);
  static void write(ArchiveWriter& archive, const std::variant<T...>& value) {
    if (value.valueless_by_exception()) throw SerialiseError("a variant without a value cannot cross a process border");
    archive(static_cast<std::uint32_t>(value.index()));
    std::visit([&](const auto& held) { archive(held); }, value);
  }
  static void read(ArchiveReader& archive, std::variant<T...>& value) {
    std::uint32_t index = 0;
    archive(index);
    if (index >= sizeof...(T)) ArchiveReader::fail("a variant that holds none of its types");
    read_held(archive, value, index, std::index_sequence_for<T...>());
  }

 private:
  template <std::size_t... I>
  static void read_held(ArchiveReader& archive, std::variant<T...>& value, std::uint32_t index,
                        std::index_sequence<I...> /*all*/) {
    static_cast<void>(((index == I && (archive(value.template emplace<I>()), true)) || ...));
  }
};

template <class T>
constexpr void must_be_serialisable() {
  static_assert(Serialisable<T>,
                "hawser: a value of this type cannot cross a process border (see <hawser/process/serialise.h>: no "
                "pointers, references, views, locks, descriptors; give a type of your own a serialise function)");
}

}  // namespace detail

// Appends value to `out`.
template <class T>
void append_bytes(std::string& out, const T& value) {
  detail::must_be_serialisable<T>();
  if constexpr (Serialisable<T>) {
    ArchiveWriter archive(out);
    archive(value);
  }
}

template <class T>
[[nodiscard]] Bytes to_bytes(const T& value) {
  std::string out;
  append_bytes(out, value);
  return Bytes(out);
}

// Exactly one value. memory_limit: the most that it may take. Throws SerialiseError.
template <class T>
[[nodiscard]] T from_bytes(BytesView bytes, std::size_t memory_limit = ArchiveReader::kMemoryLimit) {
  detail::must_be_serialisable<T>();
  static_assert(std::default_initializable<T>);
  T value{};
  if constexpr (Serialisable<T>) {
    ArchiveReader archive(bytes, memory_limit);
    archive(value);
    archive.expect_end();
  }
  return value;
}

}  // namespace hawser
