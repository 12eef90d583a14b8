// FiberLocal: a variable of which every fiber, and every thread outside fibers, has its own.
//
//   FiberLocal<std::string> request_id;          // usually at namespace scope
//   *request_id = "42";  ...  log(*request_id);  // in the same fiber, whoever runs between
//
// The value is made when a context first asks for it, and destroyed at the end of that context: of a fiber's in the
// fiber itself, after its body and before those who join it are woken, with kills held back; of a thread's when the
// thread ends. A value that outlives its FiberLocal is destroyed no later than at its context's end, too. What
// offload() runs is on a thread of its own and sees that thread's values.
//
// Every call from anywhere; it waits for nothing. A context that uses none pays nothing; one that does, a slot for each
// FiberLocal there is at the time.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace hawser {

namespace detail {

// A number for as long as it lives; numbers are given out again, with another generation.
class LocalKey {
 public:
  LocalKey();
  LocalKey(const LocalKey&) = delete;
  LocalKey& operator=(const LocalKey&) = delete;
  ~LocalKey();
  std::size_t slot;
  std::uint64_t generation;
};

class LocalValue {
 public:
  LocalValue() = default;
  LocalValue(const LocalValue&) = delete;
  LocalValue& operator=(const LocalValue&) = delete;
  virtual ~LocalValue() = default;
};

// Of the current context. Null when there is none; put() replaces what there is, and destroys it.
[[nodiscard]] LocalValue* find_local(const LocalKey& key) noexcept;
void put_local(const LocalKey& key, std::unique_ptr<LocalValue> value);

}  // namespace detail

template <class T>
class FiberLocal {
 public:
  // Each context begins with T().
  FiberLocal() requires std::default_initializable<T> : make_([] { return T(); }) {}
  // Each context begins with what make(), called in that context, returns.
  explicit FiberLocal(std::function<T()> make) : make_(std::move(make)) {}

  // This context's own; the reference is good until reset() or the context's end. Throws what making it throws.
  [[nodiscard]] T& get() {
    if (auto* value = static_cast<Value*>(detail::find_local(key_))) return value->item;
    auto fresh = std::make_unique<Value>(make_);
    T& item = fresh->item;
    detail::put_local(key_, std::move(fresh));
    return item;
  }
  [[nodiscard]] T& operator*() { return get(); }
  [[nodiscard]] T* operator->() { return &get(); }
  // Whether this context has one already.
  [[nodiscard]] bool has_value() const noexcept { return detail::find_local(key_) != nullptr; }
  // Destroys this context's; the next get() makes another.
  void reset() { detail::put_local(key_, nullptr); }

 private:
  struct Value final : detail::LocalValue {
    explicit Value(const std::function<T()>& make) : item(make()) {}
    T item;
  };
  detail::LocalKey key_;
  std::function<T()> make_;
};

}  // namespace hawser
