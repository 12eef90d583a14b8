#include <hawser/base/bytes.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <stdexcept>

namespace hawser {
namespace {

std::byte* allocate(std::size_t size) {
  if (size == 0) return nullptr;
  auto* p = static_cast<std::byte*>(std::malloc(size));
  if (!p) throw std::bad_alloc();
  return p;
}

}  // namespace

void Bytes::Free::operator()(std::byte* p) const noexcept { std::free(p); }

Bytes Bytes::uninitialised(std::size_t size) {
  Bytes b;
  b.data_.reset(allocate(size));
  b.size_ = b.capacity_ = size;
  return b;
}

Bytes::Bytes(std::string_view text) : Bytes(std::as_bytes(std::span(text.data(), text.size()))) {}

Bytes::Bytes(std::span<const std::byte> s) : data_(allocate(s.size())), size_(s.size()), capacity_(s.size()) {
  if (!s.empty()) std::memcpy(data_.get(), s.data(), s.size());
}

void Bytes::truncate(std::size_t size) {
  if (size > size_) throw std::length_error("Bytes::truncate: longer than what is there");
  size_ = size;
}

Bytes& Bytes::append(std::span<const std::byte> more) {
  if (more.empty()) return *this;
  if (more.size() > capacity_ - size_) {
    const std::size_t grown = std::max(size_ + more.size(), capacity_ * 2);
    std::unique_ptr<std::byte[], Free> larger(allocate(grown));
    if (size_) std::memcpy(larger.get(), data_.get(), size_);
    std::memcpy(larger.get() + size_, more.data(), more.size());
    data_ = std::move(larger);
    capacity_ = grown;
  } else {
    std::memmove(data_.get() + size_, more.data(), more.size());
  }
  size_ += more.size();
  return *this;
}

}  // namespace hawser
