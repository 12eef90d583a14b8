#include <hawser/tls/staging.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <utility>

namespace hawser::detail {
namespace {

struct Spare {
  std::array<std::byte*, 4> blocks{};
  std::size_t count = 0;
  bool gone = false;
  ~Spare() {
    while (count) std::free(blocks[--count]);
    gone = true;
  }
};

thread_local Spare spare;

std::byte* allocate(std::size_t size) {
  if (size == kStagingBlock && spare.count) return spare.blocks[--spare.count];
  auto* memory = static_cast<std::byte*>(std::malloc(size));
  if (!memory) throw std::bad_alloc();
  return memory;
}

void give_back(std::byte* memory, std::size_t size) noexcept {
  if (size == kStagingBlock && !spare.gone && spare.count < spare.blocks.size())
    spare.blocks[spare.count++] = memory;
  else
    std::free(memory);
}

}  // namespace

void Staging::reserve(std::size_t more) {
  if (capacity_ - end_ >= more) return;
  const std::size_t held = size();
  if (capacity_ - held >= more) {
    std::memmove(memory_, memory_ + begin_, held);
  } else {
    std::size_t grown = std::max(held + more, capacity_ * 2);
    if (grown > kStagingBlock / 2 && grown < kStagingBlock) grown = kStagingBlock;
    std::byte* larger = allocate(grown);
    if (held) std::memcpy(larger, memory_ + begin_, held);
    if (memory_) give_back(memory_, capacity_);
    memory_ = larger;
    capacity_ = grown;
  }
  begin_ = 0;
  end_ = held;
}

void Staging::append(std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  reserve(bytes.size());
  std::memcpy(memory_ + end_, bytes.data(), bytes.size());
  end_ += bytes.size();
}

void Staging::release() noexcept {
  if (memory_) give_back(memory_, capacity_);
  memory_ = nullptr;
  capacity_ = begin_ = end_ = 0;
}

void Staging::swap(Staging& other) noexcept {
  std::swap(memory_, other.memory_);
  std::swap(capacity_, other.capacity_);
  std::swap(begin_, other.begin_);
  std::swap(end_, other.end_);
}

}  // namespace hawser::detail
