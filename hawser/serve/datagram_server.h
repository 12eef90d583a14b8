// DatagramServer: serves datagrams, over UDP or at a UNIX path (Endpoint::unix_path), in any Form; each is a request of
// its own. What users name are UdpServer, ThreadingUdpServer and so on (udp_servers.h, unix_servers.h).
//
// A handler is a function called with the DatagramRequest, or a DatagramHandler to be made for each. While
// max_connections requests are being served, threads and fibers let max_pending more wait in line; then the kernel's
// buffer fills, and what does not fit there is lost, as datagrams may be.
#pragma once

#include <concepts>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include <hawser/net/address.h>
#include <hawser/net/socket.h>
#include <hawser/net/unix_path.h>
#include <hawser/serve/basic_server.h>
#include <hawser/serve/datagram_handler.h>
#include <hawser/serve/datagram_request.h>
#include <hawser/serve/open_entrances.h>

namespace hawser {

template <class T>
concept DatagramFunction = std::invocable<T&, DatagramRequest&>;
template <class T>
concept DatagramClass = std::derived_from<T, DatagramHandler> && std::default_initializable<T>;

using ServeDatagram = std::function<void(DatagramRequest& request)>;

class DatagramServer : public BasicServer<DatagramRequest> {
 public:
  // Throws ResolveError, SystemError naming the address; std::invalid_argument for options that mean nothing.
  DatagramServer(Form form, const Endpoint& endpoint, ServeDatagram handler, DatagramServerOptions options);
  // Serves on a socket that is bound: one inherited from a service manager, say (systemd.h).
  DatagramServer(Form form, Socket bound, ServeDatagram handler, DatagramServerOptions options);
  ~DatagramServer() override;

  [[nodiscard]] const Address& address() const noexcept override { return address_; }
  [[nodiscard]] int fileno() const noexcept override { return sender_.socket.fileno(); }
  // What it sends with, for options (option::broadcast, say). Receiving is the server's.
  [[nodiscard]] Socket& socket() noexcept { return sender_.socket; }

  void server_bind() override;

 protected:
  DatagramRequest get_request() override;
  void process_request(DatagramRequest& request) override;
  void shutdown_request(DatagramRequest& request) override;
  void close_request(DatagramRequest&) override {}
  void cut_request(DatagramRequest&) noexcept override {}
  void leave_to_child(DatagramRequest&) noexcept override {}
  void enter_child() noexcept override;
  bool next_request(DatagramRequest& request) noexcept override;
  void job_went_unrun() noexcept override;
  void drop_waiting() noexcept override;
  void all_cut() noexcept override;
  void close_entrances() noexcept override;
  void open_entrances(std::size_t count) override;
  [[nodiscard]] std::string name_of(const DatagramRequest& request) const override;

 private:
  void adopt(Socket bound);
  // Requests may wait in line for those that run.
  [[nodiscard]] bool has_line() const noexcept { return form() == Form::threading || form() == Form::fiber; }

  const std::optional<Endpoint> endpoint_;
  Address address_;
  detail::UnixPath path_;
  detail::DatagramSender sender_;
  Socket receiver_;  // another descriptor of the same socket: closing it ends the receiving, and answers still go out
  detail::OpenEntrance receives_{-1}, sends_{-1};  // the two, while they are open
  std::mutex mutex_;                               // guards what follows; never held over a wait
  std::deque<DatagramRequest> waiting_;
  std::size_t being_served_ = 0;
};

namespace detail {

template <class Handler>
ServeDatagram datagram_handler() {
  return [](DatagramRequest& request) { Handler().serve(request); };
}

// The constructors that UdpServer and the others share.
template <class Handler, Form kForm>
class DatagramServerOf : public DatagramServer {
 public:
  DatagramServerOf(const Endpoint& endpoint, Handler handler,
                   DatagramServerOptions options = {}) requires DatagramFunction<Handler>
      : DatagramServer(kForm, endpoint, ServeDatagram(std::move(handler)), std::move(options)) {}
  DatagramServerOf(Socket bound, Handler handler, DatagramServerOptions options = {}) requires DatagramFunction<Handler>
      : DatagramServer(kForm, std::move(bound), ServeDatagram(std::move(handler)), std::move(options)) {}
  explicit DatagramServerOf(const Endpoint& endpoint,
                            DatagramServerOptions options = {}) requires DatagramClass<Handler>
      : DatagramServer(kForm, endpoint, datagram_handler<Handler>(), std::move(options)) {}
  explicit DatagramServerOf(Socket bound, DatagramServerOptions options = {}) requires DatagramClass<Handler>
      : DatagramServer(kForm, std::move(bound), datagram_handler<Handler>(), std::move(options)) {}
};

}  // namespace detail
}  // namespace hawser
