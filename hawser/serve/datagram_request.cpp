#include <hawser/serve/datagram_request.h>

#include <algorithm>
#include <mutex>
#include <stdexcept>

#include <hawser/base/errors.h>
#include <hawser/fiber/run.h>

namespace hawser {
namespace {

// For what no event tells: a UNIX socket does not say when its receiver has room again.
constexpr Duration kFirstPause = std::chrono::microseconds(100);
constexpr Duration kLongestPause = std::chrono::milliseconds(20);

}  // namespace

void DatagramRequest::reply(BytesView data) {
  const Address& to = client_address();
  if (to.family() == AF_UNSPEC || (to.is_unix() && to.path().empty())) {
    throw std::logic_error("reply: the sender of the datagram has no name");
  }
  send_to(data, to);
}

void DatagramRequest::send_to(BytesView data, const Address& to) {
  const Expiry expiry = Expiry::of(sender_->patience);
  for (Duration pause = kFirstPause;; pause = std::min(2 * pause, kLongestPause)) {
    {
      const std::lock_guard hold(*sender_->sending);
      if (sender_->socket.try_send_to(data, to)) return;
    }
    const Timeout left = expiry.left();
    if (left == Duration::zero()) throw SocketTimeout("send_to " + to.str() + ": timed out, its receiver has no room");
    sleep(std::min(pause, left.value_or(pause)));
  }
}

}  // namespace hawser
