#include <hawser/serve/datagram_server.h>

#include <exception>
#include <stdexcept>

#include <hawser/base/errors.h>
#include <hawser/base/fd.h>
#include <hawser/net/resolver.h>

namespace hawser {

DatagramServer::DatagramServer(Form form, const Endpoint& endpoint, ServeDatagram handler,
                               DatagramServerOptions options)
    : BasicServer(form, std::move(handler), std::move(options)), endpoint_(endpoint) {
  if (this->options().bind_and_activate) DatagramServer::server_bind();
}

DatagramServer::DatagramServer(Form form, Socket bound, ServeDatagram handler, DatagramServerOptions options)
    : BasicServer(form, std::move(handler), std::move(options)) {
  if (bound.type() != SOCK_DGRAM) throw std::invalid_argument("a datagram server needs a datagram socket");
  address_ = bound.sock_name();
  adopt(std::move(bound));
}

DatagramServer::~DatagramServer() { server_close(); }

void DatagramServer::server_bind() {
  if (!endpoint_) throw std::logic_error("server_bind: the server was given its socket");
  const ListenerOptions& listen = options().listen;
  std::exception_ptr first;
  for (const Address& address : resolve(*endpoint_, {.family = options().address_family})) {
    try {
      Socket socket(address.family(), SOCK_DGRAM);
      if (address.is_unix()) {
        path_ = detail::UnixPath::bind(socket, address, listen.unix_mode);
        address_ = address;
      } else {
        // Not SO_REUSEADDR: datagrams leave no TIME_WAIT, and a second server would take the port without a word.
        if (listen.reuse_port) socket.set(option::reuse_port, true);
        if (address.is_ipv6()) socket.set(option::ipv6_only, !listen.dual_stack);
        socket.bind(address);
        address_ = socket.sock_name();
      }
      return adopt(std::move(socket));
    } catch (const SystemError&) {
      if (!first) first = std::current_exception();
    }
  }
  std::rethrow_exception(first);
}

void DatagramServer::adopt(Socket bound) {
  receiver_ = Socket(duplicate(bound.fileno()));
  sender_.socket = std::move(bound);
  receives_ = detail::OpenEntrance(receiver_.fileno());
  sends_ = detail::OpenEntrance(sender_.socket.fileno());
  sender_.patience = options().reply_timeout;
}

DatagramRequest DatagramServer::get_request() {
  receiver_.set_timeout(entrance().patience);
  return {receiver_.recv_from(options().max_packet_bytes), sender_};
}

void DatagramServer::process_request(DatagramRequest& request) {
  if (has_line()) {
    const std::lock_guard hold(mutex_);
    if (being_served_ == max_running()) {  // then one of those will come for it, with the permit it has
      waiting_.push_back(std::move(request));
      entrance().has_permit = false;
      return;
    }
    ++being_served_;
  }
  start_job(request);
}

bool DatagramServer::next_request(DatagramRequest& request) noexcept {
  if (!has_line()) return false;
  const std::lock_guard hold(mutex_);
  if (waiting_.empty()) {
    --being_served_;
    return false;
  }
  request = std::move(waiting_.front());
  waiting_.pop_front();
  give_permit_back();  // of the one that has ended
  return true;
}

void DatagramServer::job_went_unrun() noexcept {
  if (!has_line()) return;
  const std::lock_guard hold(mutex_);
  --being_served_;
}

void DatagramServer::drop_waiting() noexcept {
  const std::lock_guard hold(mutex_);
  waiting_.clear();
}

void DatagramServer::shutdown_request(DatagramRequest& request) { close_request(request); }

void DatagramServer::all_cut() noexcept {
  sends_.forget();
  sender_.socket.close();
}

void DatagramServer::enter_child() noexcept {
  close_entrances();
  sends_.forget();
  detail::close_open_entrances();  // of other servers
  // A thread of the parent may have been sending just then.
  static_cast<void>(sender_.sending.release());
  sender_.sending = std::make_unique<Lock>();
}

void DatagramServer::close_entrances() noexcept {
  receives_.forget();
  path_.remove();
  receiver_.close();
}

void DatagramServer::open_entrances(std::size_t) {
  throw std::invalid_argument("DealOut::reuse_port is for connections");
}

std::string DatagramServer::name_of(const DatagramRequest& request) const { return request.client_address().str(); }

}  // namespace hawser
