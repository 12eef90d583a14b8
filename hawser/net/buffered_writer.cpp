#include <hawser/net/buffered_writer.h>

#include <array>
#include <utility>

namespace hawser {

void BufferedWriter::write(BytesView data) {
  if (buffer_.size() + data.size() <= capacity_) {
    buffer_.append(data.text());
    return;
  }
  const std::string pending = std::exchange(buffer_, {});
  const std::array<BytesView, 2> parts{BytesView(pending), data};
  stream_->write_all(std::span<const BytesView>(parts));
}

void BufferedWriter::flush() {
  if (buffer_.empty()) return;
  const std::string pending = std::exchange(buffer_, {});
  stream_->write_all(BytesView(pending));
}

}  // namespace hawser
