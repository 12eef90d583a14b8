// What all servers have in common: limits and hooks, whatever runs the requests (fibers, threads, processes, one at a
// time).
//
// Where Python's socketserver has it: allow_reuse_address, allow_reuse_port and request_queue_size are
// listen.reuse_address, listen.reuse_port and listen.backlog; max_packet_size is max_packet_bytes, max_children is
// max_connections, daemon_threads is block_on_close = false.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <optional>

#include <hawser/base/clock.h>
#include <hawser/net/listener.h>
#include <hawser/net/resolver.h>
#include <hawser/net/socket.h>

namespace hawser {

class DatagramRequest;

// What runs a server's requests.
enum class Form : std::uint8_t {
  one_at_a_time,  // the serving thread itself, or, in a fiber, one fiber
  threading,      // a thread each
  forking,        // a process each
  fiber,          // a fiber each, on all loops
};

// How a fiber server with several loops brings connections to them.
enum class DealOut : std::uint8_t {
  least_loaded,  // one loop accepts, and gives each connection to the loop that has the fewest of this server's
  reuse_port,    // each loop has a listener of its own (SO_REUSEPORT), and the kernel chooses by the peer's address
};

template <class Request>
struct BasicServerOptions {
  // How the listening socket is made; for datagrams, reuse_port, dual_stack and unix_mode count.
  ListenerOptions listen{};
  // Which addresses of a host name are taken.
  IpFamily address_family = IpFamily::any;
  // false: the constructor leaves server_bind() and server_activate() to the caller.
  bool bind_and_activate = true;

  // Requests at once. When there are as many, no more is accepted: peers wait in the backlog, datagrams in the queue
  // below and then in the kernel's buffer. By default 10,000 on fibers, 1,000 threads, 500 processes.
  std::optional<std::size_t> max_connections{};
  // How long handle_request() waits for one.
  Timeout timeout{};
  // service_actions() is called at least that often while nothing happens; otherwise after each request only.
  Timeout service_interval{};
  // How long a request may last in all: a Deadline scope around its handler, which ends blocking calls. A forked child
  // that does not end by itself within a second of that is killed (ChildFailed).
  Timeout request_deadline{};
  // How long a stopping server lets requests go on before it cuts them: fibers are cancelled, children killed, the
  // sockets of threads closed under them (of datagrams, the one they answer with).
  Duration drain{0};
  // Whether serve_forever() waits, after the cut, for handlers that do not heed it. The destructor waits in any case.
  bool block_on_close = true;

  // Streams: how long a conversation may wait for its peer without a byte moving, either way (SocketTimeout).
  Timeout idle_timeout{};
  // Streams: the least pace a peer must keep (SocketTimeout).
  std::optional<LeastPace> least_pace{};
  DealOut deal_out = DealOut::least_loaded;

  // Datagrams: what is longer is cut, and the request says so.
  std::size_t max_packet_bytes = 65536;
  // Datagrams, threads and fibers: how many may wait while max_connections are being served.
  std::size_t max_pending = 1024;
  // Datagrams: how long an answer may wait for room at its receiver (SocketTimeout), who perhaps never reads.
  Timeout reply_timeout = std::chrono::seconds(1);

  // Called before the request is processed; false: it is shut down unserved.
  std::function<bool(Request& request)> verify_request{};
  // Called with what a handler, or verify_request, has thrown; the request is shut down afterwards. By default errors
  // are logged, except those of every day: a peer that reset the connection, a timeout, a cut at the server's stop.
  std::function<void(std::exception_ptr error, Request& request)> handle_error{};
};

using ServerOptions = BasicServerOptions<Socket>;
using DatagramServerOptions = BasicServerOptions<DatagramRequest>;

}  // namespace hawser
