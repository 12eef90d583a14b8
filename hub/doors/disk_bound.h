// DiskBound: holds a value whose destructor may block on the disk (an upload that drops its staged data), and destroys
// it through offload(). Made and destroyed by one fiber.
#pragma once

#include <exception>
#include <optional>
#include <utility>

#include <hawser/fiber/cancellation.h>
#include <hawser/fiber/offload.h>

namespace hawser::hub {

template <class T>
class DiskBound {
 public:
  explicit DiskBound(T value) noexcept : value_(std::move(value)) {}
  DiskBound(const DiskBound&) = delete;
  DiskBound& operator=(const DiskBound&) = delete;
  ~DiskBound() {
    const Shield shield;
    try {
      offload([this] { value_.reset(); });
    } catch (const std::exception&) {
      value_.reset();
    }
  }

  T* operator->() noexcept { return &*value_; }
  T& operator*() noexcept { return *value_; }

 private:
  std::optional<T> value_;
};

}  // namespace hawser::hub
