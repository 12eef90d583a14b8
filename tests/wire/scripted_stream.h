// A Stream in memory: what reading gives is decided by the test, piece by piece, and what was written is kept, call by
// call. Waiting never happens.
#pragma once

#include <algorithm>
#include <cstring>
#include <deque>
#include <string>
#include <vector>

#include <unistd.h>

#include <hawser/base/errors.h>
#include <hawser/net/stream.h>

namespace hawser {

class ScriptedStream : public Stream {
 public:
  ScriptedStream() = default;
  explicit ScriptedStream(std::string all) { pieces.push_back(std::move(all)); }

  std::deque<std::string> pieces;    // each is what one read gives at most
  std::vector<std::string> written;  // each is what one system call would have taken
  std::size_t reads = 0;
  std::size_t largest_read = 0;

  [[nodiscard]] std::string sent() const {
    std::string all;
    for (const std::string& one : written) all += one;
    return all;
  }

  std::size_t read_some(std::span<std::byte> into) override {
    if (into.empty()) return 0;
    ++reads;
    largest_read = std::max(largest_read, into.size());
    while (!pieces.empty() && pieces.front().empty()) pieces.pop_front();
    if (pieces.empty()) return 0;
    std::string& piece = pieces.front();
    const std::size_t count = std::min(into.size(), piece.size());
    std::memcpy(into.data(), piece.data(), count);
    piece.erase(0, count);
    if (piece.empty()) pieces.pop_front();
    return count;
  }
  std::size_t write_some(BytesView data) override {
    written.emplace_back(data.text());
    return data.size();
  }
  void write_all(BytesView data) override { write_some(data); }
  void write_all(std::span<const BytesView> parts) override {
    std::string all;
    for (const BytesView& part : parts) all += part.text();
    written.push_back(all);
  }
  std::uint64_t send_file(int file, std::uint64_t offset, std::uint64_t count) override {
    std::string data(count, '\0');
    const ssize_t got = ::pread(file, data.data(), data.size(), static_cast<off_t>(offset));
    data.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    written.push_back(data);
    return data.size();
  }
  void shutdown_write() override {}
  void close() noexcept override {}
  [[nodiscard]] std::string peer() const override { return "script"; }
};

// The bytes of a frame, built without the code that is tested.
inline std::string frame_bytes(const std::string& header, const std::string& body = {}) {
  const auto length = static_cast<std::uint32_t>(header.size());
  std::string bytes;
  for (int shift = 0; shift < 32; shift += 8) bytes.push_back(static_cast<char>((length >> shift) & 0xFF));
  return bytes + header + body;
}

}  // namespace hawser
