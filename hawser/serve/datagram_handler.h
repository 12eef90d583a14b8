// DatagramHandler: one datagram request as a class, for every datagram server.
//
//   struct Upper : DatagramHandler {
//     void handle() override {
//       while (auto line = input().read_line()) output().write(to_upper(*line));
//     }
//   };
//   UdpServer<Upper> server({"127.0.0.1", 9999});
//
// A server makes one for each datagram and calls setup, handle, finish, as for a StreamHandler. input() reads what
// came; what was written to output() goes back as one datagram when all three have returned. A handler that writes
// nothing sends nothing, and so does one that throws; more than a datagram holds is LimitExceeded.
#pragma once

#include <memory>

#include <hawser/net/buffered_reader.h>
#include <hawser/net/buffered_writer.h>
#include <hawser/serve/datagram_request.h>

namespace hawser {

class DatagramHandler {
 public:
  DatagramHandler();
  DatagramHandler(const DatagramHandler&) = delete;
  DatagramHandler& operator=(const DatagramHandler&) = delete;
  virtual ~DatagramHandler();

  // The whole request. Throws what setup, handle or finish throw; the first of them.
  void serve(DatagramRequest& request);

 protected:
  virtual void setup() {}
  virtual void handle() = 0;
  virtual void finish() {}

  // Within serve() only.
  [[nodiscard]] DatagramRequest& request() noexcept;
  [[nodiscard]] BufferedReader& input() noexcept;
  [[nodiscard]] BufferedWriter& output() noexcept;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace hawser
