// A stream under TLS that counts what is written and can be made to misbehave.
#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include <hawser/net/stream.h>

namespace hawser::test {

class WatchedStream final : public Stream {
 public:
  explicit WatchedStream(std::unique_ptr<Stream> inner) : inner_(std::move(inner)) {}

  std::size_t read_some(std::span<std::byte> into) override {
    const std::size_t got = inner_->read_some(into);
    if (damage_next_read && got) {
      into[got - 1] ^= std::byte{1};
      damage_next_read = false;
    }
    return got;
  }
  std::size_t write_some(BytesView data) override {
    offered.push_back(data.size());
    const std::size_t taken = inner_->write_some(data);
    written.insert(written.end(), data.span().begin(), data.span().begin() + static_cast<std::ptrdiff_t>(taken));
    return taken;
  }
  void shutdown_write() override { inner_->shutdown_write(); }
  void close() noexcept override {
    closed = true;
    inner_->close();
  }
  [[nodiscard]] std::string peer() const override { return inner_->peer(); }

  // The sizes of the TLS records in what was written since `from` (RFC 8446, 5.1).
  [[nodiscard]] std::vector<std::size_t> records(std::size_t from) const {
    std::vector<std::size_t> sizes;
    while (from + 5 <= written.size()) {
      sizes.push_back(std::size_t(written[from + 3]) << 8 | std::size_t(written[from + 4]));
      from += 5 + sizes.back();
    }
    return sizes;
  }

  std::vector<std::byte> written;
  std::vector<std::size_t> offered;
  bool damage_next_read = false;
  bool closed = false;

 private:
  std::unique_ptr<Stream> inner_;
};

}  // namespace hawser::test
