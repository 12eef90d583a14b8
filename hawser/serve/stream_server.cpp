#include <hawser/serve/stream_server.h>

#include <exception>
#include <stdexcept>

#include <hawser/base/errors.h>
#include <hawser/base/fork.h>

namespace hawser {
namespace {

ServerOptions prepared(ServerOptions options) {
  options.listen.family = options.address_family;
  if (options.deal_out == DealOut::reuse_port) options.listen.reuse_port = true;
  return options;
}

}  // namespace

StreamServer::StreamServer(Form form, const Endpoint& endpoint, ServeConnection handler, ServerOptions options)
    : BasicServer(form, std::move(handler), prepared(std::move(options))), endpoint_(endpoint) {
  if (this->options().bind_and_activate) {
    listeners_.emplace_back(endpoint, this->options().listen);
  } else {
    listeners_.emplace_back();
  }
  note_entrances();
}

StreamServer::StreamServer(Form form, Listener listener, ServeConnection handler, ServerOptions options)
    : BasicServer(form, std::move(handler), prepared(std::move(options))) {
  listeners_.push_back(std::move(listener));
  note_entrances();
}

StreamServer::~StreamServer() { server_close(); }

void StreamServer::server_bind() {
  if (!endpoint_) throw std::logic_error("server_bind: the server was given its listener");
  listeners_.front() = Listener::bound(*endpoint_, options().listen);
  note_entrances();
}

void StreamServer::note_entrances() {
  noted_.clear();
  for (const Listener& listener : listeners_) noted_.emplace_back(listener.fileno());
}

void StreamServer::server_activate() { listeners_.front().listen(options().listen.backlog); }

Socket StreamServer::get_request() { return listeners_[entrance_number()].accept(entrance().patience); }

void StreamServer::limit_request(Socket& peer) {
  peer.set_idle_timeout(options().idle_timeout);
  peer.set_least_pace(options().least_pace);
}

void StreamServer::shutdown_request(Socket& peer) {
  // Closing is enough to tell the peer, unless a forked process holds a copy of the descriptor.
  if (!peer.closed() && detail::has_forked()) {
    try {
      peer.shutdown_write();
    } catch (const SystemError&) {  // it was reset, or closed meanwhile: nobody is left to be told
    }
  }
  close_request(peer);
}

void StreamServer::close_request(Socket& peer) { peer.close(); }

void StreamServer::cut_request(Socket& peer) noexcept { peer.close(); }

void StreamServer::leave_to_child(Socket& peer) noexcept { peer.close(); }

void StreamServer::enter_child() noexcept {
  close_entrances();
  detail::close_open_entrances();  // of other servers
}

void StreamServer::close_entrances() noexcept {
  for (detail::OpenEntrance& entrance : noted_) entrance.forget();
  for (Listener& listener : listeners_) listener.close();
}

void StreamServer::open_entrances(std::size_t count) {
  ListenerOptions again = options().listen;
  again.reuse_port = true;
  if (address().is_unix()) throw std::invalid_argument("DealOut::reuse_port is for TCP");
  while (listeners_.size() < count) listeners_.emplace_back(address(), again);
  note_entrances();
}

}  // namespace hawser
