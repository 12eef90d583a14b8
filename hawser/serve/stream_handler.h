// StreamHandler: one conversation as a class, for every server.
//
//   struct Upper : StreamHandler {
//     void handle() override {
//       while (auto line = input().read_line()) output().write(to_upper(*line));
//     }
//   };
//   FiberTcpServer<Upper> server({"127.0.0.1", 9999});
//
// A server makes one for each connection and calls setup, handle, finish, in that order. When handle throws, finish
// runs all the same; when setup throws, neither runs (what setup had made cleans itself up). Output is gathered and
// goes out when input is about to wait, at output().flush(), after handle and after finish; also what was written
// before something was thrown, unless that says that the time is up (a timeout, a deadline, a cancellation).
#pragma once

#include <optional>

#include <hawser/net/buffered_reader.h>
#include <hawser/net/buffered_writer.h>
#include <hawser/net/socket.h>

namespace hawser {

class StreamHandler {
 public:
  StreamHandler() = default;
  StreamHandler(const StreamHandler&) = delete;
  StreamHandler& operator=(const StreamHandler&) = delete;
  virtual ~StreamHandler() = default;

  // The whole conversation. Throws what setup, handle or finish throw; the first of them.
  void serve(Socket& peer);

 protected:
  virtual void setup() {}
  virtual void handle() = 0;
  virtual void finish() {}

  // Within serve() only.
  [[nodiscard]] Socket& socket() noexcept { return *socket_; }
  [[nodiscard]] BufferedReader& input() noexcept { return *input_; }
  [[nodiscard]] BufferedWriter& output() noexcept { return *output_; }

 private:
  Socket* socket_ = nullptr;
  std::optional<BufferedReader> input_;
  std::optional<BufferedWriter> output_;
};

}  // namespace hawser
