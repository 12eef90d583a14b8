// RecordFiller: cuts the parts of a gathered write into runs that make full TLS records. Parts shorter than a record
// are copied together; longer ones are taken where they lie. Internal to the floor.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>

#include <hawser/base/bytes.h>
#include <hawser/tls/tls_session.h>

namespace hawser::detail {

class RecordFiller {
 public:
  explicit RecordFiller(std::span<const BytesView> parts) : parts_(parts) {
    for (const BytesView& part : parts) left_ += part.size();
  }

  [[nodiscard]] bool done() const noexcept { return left_ == 0; }

  // The next run, at most limit bytes; limit is a multiple of the record size or what is left of one. Valid until the
  // next call. Not to be called when done.
  std::span<const std::byte> next(std::size_t limit) {
    skip_empty();
    const std::span<const std::byte> part = parts_.front().span().subspan(offset_);
    std::span<const std::byte> run;
    if (part.size() == left_)
      run = part.first(std::min(part.size(), limit));
    else if (part.size() >= TlsSession::kRecord)
      run = part.first(std::min(part.size() / TlsSession::kRecord * TlsSession::kRecord, limit));
    else
      return gather(std::min({limit, left_, TlsSession::kRecord}));
    advance(run.size());
    return run;
  }

 private:
  std::span<const std::byte> gather(std::size_t size) {
    if (!gathered_) gathered_ = std::make_unique_for_overwrite<std::byte[]>(std::min(left_, TlsSession::kRecord));
    std::size_t filled = 0;
    while (filled < size) {
      skip_empty();
      const auto part = parts_.front().span().subspan(offset_);
      const std::size_t count = std::min(part.size(), size - filled);
      std::memcpy(gathered_.get() + filled, part.data(), count);
      advance(count);
      filled += count;
    }
    return {gathered_.get(), size};
  }

  void skip_empty() noexcept {
    while (offset_ == parts_.front().size()) {
      parts_ = parts_.subspan(1);
      offset_ = 0;
    }
  }

  void advance(std::size_t count) noexcept {
    offset_ += count;
    left_ -= count;
  }

  std::span<const BytesView> parts_;
  std::size_t offset_ = 0;
  std::size_t left_ = 0;
  std::unique_ptr<std::byte[]> gathered_;
};

}  // namespace hawser::detail
