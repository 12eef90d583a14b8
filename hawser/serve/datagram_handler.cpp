#include <hawser/serve/datagram_handler.h>

#include <algorithm>
#include <exception>
#include <string>

namespace hawser {
namespace {

// The datagram as something to read from, and the answer as something to write to.
class PacketStream final : public Stream {
 public:
  explicit PacketStream(const DatagramRequest& request) : rest_(request.data()), peer_(request.client_address()) {}

  [[nodiscard]] std::size_t read_some(std::span<std::byte> into) override {
    const std::size_t count = std::min(into.size(), rest_.size());
    std::copy_n(rest_.begin(), count, into.begin());
    rest_ = rest_.subspan(count);
    return count;
  }
  std::size_t write_some(BytesView data) override {
    if (answer_.size() + data.size() > kUdpPayloadLimit) {
      throw LimitExceeded("the answer is longer than a datagram (" + std::to_string(kUdpPayloadLimit) + " bytes)",
                          kUdpPayloadLimit);
    }
    answer_.append(data.span());
    return data.size();
  }
  void shutdown_write() override {}
  void close() noexcept override {}
  [[nodiscard]] std::string peer() const override { return peer_.str(); }

  [[nodiscard]] const Bytes& answer() const noexcept { return answer_; }

 private:
  std::span<const std::byte> rest_;
  const Address& peer_;
  Bytes answer_;
};

}  // namespace

struct DatagramHandler::Parts {
  explicit Parts(DatagramRequest& its) : request(its), packet(its), input(packet), output(packet) {}
  DatagramRequest& request;
  PacketStream packet;
  BufferedReader input;
  BufferedWriter output;
};

DatagramHandler::DatagramHandler() = default;
DatagramHandler::~DatagramHandler() = default;

DatagramRequest& DatagramHandler::request() noexcept { return parts_->request; }
BufferedReader& DatagramHandler::input() noexcept { return parts_->input; }
BufferedWriter& DatagramHandler::output() noexcept { return parts_->output; }

void DatagramHandler::serve(DatagramRequest& request) {
  parts_ = std::make_unique<Parts>(request);
  setup();
  std::exception_ptr failure;
  try {
    handle();
  } catch (...) {
    failure = std::current_exception();
  }
  try {
    finish();
  } catch (...) {
    if (!failure) failure = std::current_exception();
  }
  if (failure) std::rethrow_exception(failure);
  output().flush();
  if (!parts_->packet.answer().empty()) request.reply(parts_->packet.answer());
}

}  // namespace hawser
