// Datagrams: messages that arrive whole or not at all, each with its sender (UDP, UNIX datagrams, raw sockets).
//
//   Socket sock(AF_INET, SOCK_DGRAM);
//   sock.bind(Address::ip("127.0.0.1", 5000));
//   for (;;) {
//     Datagram question = sock.recv_from();
//     sock.send_to("answer to " + question.data.str(), question.from);
//   }
//
// The calls are Socket's (socket.h); here are the values they take and give. An empty datagram is one like any other
// and not the end of anything; one that did not fit says so. Sources: udp(7), unix(7), recvmmsg(2), sendmmsg(2).
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include <hawser/base/bytes.h>
#include <hawser/net/address.h>

namespace hawser {

// What one UDP datagram can carry: 65535 less the headers of IP and UDP (IPv6 does not count its own).
inline constexpr std::size_t kUdpPayloadLimit = 65507;
inline constexpr std::size_t kUdpV6PayloadLimit = 65527;

// One that has been received.
struct Datagram {
  Bytes data;
  Address from;            // family AF_UNSPEC when the sender has no name
  std::size_t length = 0;  // as it was sent; more than data.size() when it did not fit
  bool truncated = false;  // it did not fit, and its rest is gone
};

// The same, where the caller has the memory: received into the first `size` bytes of it.
struct ReceivedDatagram {
  std::size_t size = 0;
  Address from;
  std::size_t length = 0;
  bool truncated = false;
};

// One to be sent. Without an address (the default) it goes to whom the socket is connected to.
struct OutgoingDatagram {
  BytesView data;
  Address to;
};

// One in a batch.
struct DatagramView {
  BytesView data;
  Address from;
  std::size_t length = 0;
  bool truncated = false;
};

// Room for many datagrams at once, used again and again (Socket::receive_many). What it shows is valid until it is
// received into again. It belongs to one caller at a time.
class DatagramBatch {
 public:
  // For at most `most` datagrams a call, of at most `limit` bytes each. Throws std::invalid_argument for no room.
  explicit DatagramBatch(std::size_t most = 64, std::size_t limit = 2048);
  DatagramBatch(DatagramBatch&&) noexcept;
  DatagramBatch& operator=(DatagramBatch&&) noexcept;
  ~DatagramBatch();

  // What the last call received, in the order of arrival.
  [[nodiscard]] std::size_t size() const noexcept { return views_.size(); }
  [[nodiscard]] const DatagramView& operator[](std::size_t i) const { return views_[i]; }
  [[nodiscard]] auto begin() const noexcept { return views_.begin(); }
  [[nodiscard]] auto end() const noexcept { return views_.end(); }

 private:
  friend class Socket;
  struct Room;
  std::unique_ptr<Room> room_;
  std::vector<DatagramView> views_;
};

}  // namespace hawser
