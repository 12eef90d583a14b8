// LocalValues: a context's own values of the FiberLocals it has used. Internal.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <hawser/fiber/fiber_local.h>

namespace hawser::detail {

class LocalValues {
 public:
  LocalValues() = default;
  LocalValues(const LocalValues&) = delete;
  LocalValues& operator=(const LocalValues&) = delete;
  // The latest first, and those that a destructor makes anew as well.
  ~LocalValues();

  [[nodiscard]] LocalValue* find(const LocalKey& key) const noexcept;
  void put(const LocalKey& key, std::unique_ptr<LocalValue> value);

 private:
  struct Slot {
    std::uint64_t generation = 0;
    std::unique_ptr<LocalValue> value;
  };
  std::vector<Slot> slots_;
};

}  // namespace hawser::detail
