#include <hawser/serve/datagram_request.h>

#include <mutex>
#include <stdexcept>

namespace hawser {

void DatagramRequest::reply(BytesView data) {
  const Address& to = client_address();
  if (to.family() == AF_UNSPEC || (to.is_unix() && to.path().empty())) {
    throw std::logic_error("reply: the sender of the datagram has no name");
  }
  send_to(data, to);
}

void DatagramRequest::send_to(BytesView data, const Address& to) {
  const std::lock_guard hold(sender_->sending);
  sender_->socket.send_to(data, to);
}

}  // namespace hawser
