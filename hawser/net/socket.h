// Socket: a socket of any family and type that reads like a blocking one, in a fiber and on a plain thread alike.
//
//   Socket sock = connect({"example.org", 80}, {.timeout = 5s});
//   sock.send_all("hello");
//   while (Bytes data = sock.recv(1024)) use(data);
//
// One class for streams and datagrams, as everywhere since BSD: a datagram socket has send_to() and recv_from() (see
// datagram.h), and its recv() and send() move one whole datagram each.
//
// Waiting: a call first tries, then waits. Each waiting call throws SocketTimeout when set_timeout() or
// set_idle_timeout() ran out, DeadlineExceeded, Cancelled, SocketClosed when somebody closes the socket meanwhile,
// WouldBlock when the timeout is zero, and SystemError with operation and peer in the message otherwise
// ("recv 127.0.0.1:5000: Connection reset by peer"). EINTR is never seen, SIGPIPE never raised.
//
// Ownership and threads: move-only; destroying closes. One reader and one writer at the same time, each a fiber or a
// thread; two readers or two writers are std::logic_error. close() may come from anywhere at any time, moving and
// destroying may not while an operation is under way. A moved-from or default Socket is closed.
//
// A Socket that waits in recv() holds no receive buffer. Sources: socket(7), tcp(7), unix(7), send(2), recv(2).
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include <hawser/base/clock.h>
#include <hawser/base/errors.h>
#include <hawser/base/fd.h>
#include <hawser/net/address.h>
#include <hawser/net/datagram.h>
#include <hawser/net/socket_options.h>
#include <hawser/net/stream.h>

namespace hawser {

// A non-blocking call found nothing to do, or no more: send_all and send_file had sent sent() bytes before. Code
// EAGAIN.
class WouldBlock : public SystemError {
 public:
  WouldBlock(std::string_view operation, std::string_view object, std::uint64_t sent = 0);
  [[nodiscard]] std::uint64_t sent() const noexcept { return sent_; }

 private:
  std::uint64_t sent_;
};

// send_all or send_file ended early by an error of the kernel; sent() bytes had gone out before.
class SendError : public SystemError {
 public:
  SendError(int error_number, std::string_view operation, std::string_view object, std::uint64_t sent);
  [[nodiscard]] std::uint64_t sent() const noexcept { return sent_; }

 private:
  std::uint64_t sent_;
};

enum class Shutdown : std::uint8_t { read, write, both };

// The least that must move, both ways together, while calls wait for the peer: bytes a second, averaged over a window
// of such waiting. Time in which nobody waits for the peer does not count.
struct LeastPace {
  std::uint64_t bytes_per_second = 1;
  Duration window = std::chrono::seconds(30);
};

struct KeepAlive {
  std::chrono::seconds idle{60};      // silence before the first probe
  std::chrono::seconds interval{10};  // between probes
  int count = 6;                      // unanswered ones before the connection is given up
};

class Socket final : public Stream {
 public:
  Socket() noexcept;
  // Takes over an open socket, finds out its family, type and protocol, and makes it non-blocking. Throws SystemError
  // (ENOTSOCK, EBADF), and closes the descriptor then.
  explicit Socket(UniqueFd fd);
  // A new socket, close-on-exec. SOCK_NONBLOCK beside the type means set_blocking(false). Throws SystemError.
  explicit Socket(int family, int type = SOCK_STREAM, int protocol = 0);
  Socket(Socket&& other) noexcept;
  Socket& operator=(Socket&& other) noexcept;
  // Closes: a call that is still under way is woken with SocketClosed, and has left before this returns.
  ~Socket() override;

  // Receiving -----------------------------------------------------------------------------------------------------
  // Waits for bytes and returns at most limit of them. Empty: the peer has finished, again and again; or limit is 0.
  // On a datagram socket: one datagram, which may be empty. One that does not fit is SystemError (EMSGSIZE) and gone;
  // recv_from() gives its beginning.
  Bytes recv(std::size_t limit);
  // The same into memory of the caller's; the number of bytes.
  [[nodiscard]] std::size_t recv_into(std::span<std::byte> into);
  // Does not wait: nothing when recv() would.
  [[nodiscard]] std::optional<Bytes> try_recv(std::size_t limit);
  [[nodiscard]] std::size_t read_some(std::span<std::byte> into) override { return recv_into(into); }
  [[nodiscard]] std::size_t read_late(LateBuffer& into) override;

  // Sending -------------------------------------------------------------------------------------------------------
  // Waits until the kernel takes some of data; how much, which may be less than all.
  std::size_t send(BytesView data);
  // Does not wait: nothing when send() would. Throws as that does.
  std::optional<std::size_t> try_send(BytesView data);
  // Sends all. The timeout is the budget of the whole call. Every failure says what had gone out: sent() of SendError
  // and WouldBlock, transferred() of SocketTimeout, DeadlineExceeded, Cancelled and SocketClosed. After any but a
  // WouldBlock, which can be followed by the rest, the stream is cut in the middle of data.
  void send_all(BytesView data);
  // All parts, gathered by sendmsg(2).
  void send_all(std::span<const BytesView> parts);
  std::size_t write_some(BytesView data) override { return send(data); }
  void write_all(BytesView data) override { send_all(data); }
  void write_all(std::span<const BytesView> parts) override { send_all(parts); }
  // By sendfile(2), or by reading and writing where the file has no such thing. The file must be one that read() does
  // not wait for. Failures as for send_all().
  std::uint64_t send_file(int file, std::uint64_t offset, std::uint64_t count) override;

  // Urgent data ---------------------------------------------------------------------------------------------------
  // TCP has at most one urgent byte under way (tcp(7)). With option::oob_inline it is read in its place, and reads stop
  // short before it; else it is left out of the stream and waits for recv_urgent(). Selector tells of it as
  // Events::urgent.
  void send_urgent(char byte);
  // Does not wait: nothing when none has come, or it is read in line.
  [[nodiscard]] std::optional<char> recv_urgent();
  // True when the next byte to be read is the urgent one (or the first one after it, when it is not read in line).
  [[nodiscard]] bool at_mark() const;

  // Datagrams -----------------------------------------------------------------------------------------------------
  // Waits for the next datagram and its sender, on a connected socket too. More than limit bytes are cut off, and
  // `truncated` tells. On a stream: what recv() gives, from nobody. After shutdown(): what is there still, and then
  // empty ones from nobody.
  Datagram recv_from(std::size_t limit = 65536);
  // The same into memory of the caller's.
  [[nodiscard]] ReceivedDatagram recv_from_into(std::span<std::byte> into);
  // Does not wait: nothing when recv_from() would.
  [[nodiscard]] std::optional<Datagram> try_recv_from(std::size_t limit = 65536);
  // Sends one whole datagram; its size. That nobody listens over there is no error, unless the socket is connected to
  // it and its host said so to an earlier one (ECONNREFUSED). One that is too large is SystemError (EMSGSIZE), naming
  // the limit. A UNIX receiver whose queue is full is waited for.
  std::size_t send_to(BytesView data, const Address& to);
  // Does not wait: false when send_to() would.
  bool try_send_to(BytesView data, const Address& to);
  // Waits for one datagram and takes with it all that have come, as many as the batch has room for, by recvmmsg(2). How
  // many; at least 1.
  std::size_t receive_many(DatagramBatch& batch);
  // Sends all by sendmmsg(2). How many have gone: fewer only when the next was refused or the time ran out after others
  // had gone, and calling again with the rest says why.
  std::size_t send_many(std::span<const OutgoingDatagram> datagrams);

  // Connecting ----------------------------------------------------------------------------------------------------
  // To one address; see connect.h for names. Waits for the answer; a UNIX listener's full backlog is waited for too.
  void connect(const Address& address);
  // The same; the error number instead of SystemError, 0 when it worked, EAGAIN when the timeout ran out, EBADF when it
  // is closed. Without waiting: EINPROGRESS while the answer is to come, EAGAIN when a UNIX backlog is full.
  [[nodiscard]] int connect_ex(const Address& address);
  void bind(const Address& address);
  void listen(int backlog = SOMAXCONN);
  // Waits for a connection. It has no timeout and none of its listener's settings other than those the kernel hands on.
  // Lets EMFILE and its like through as SystemError: Listener knows what to do about them.
  [[nodiscard]] Socket accept();
  // The same, until the expiry rather than for the socket's timeout.
  [[nodiscard]] Socket accept(Expiry expiry);

  // Waiting -------------------------------------------------------------------------------------------------------
  // The total budget of each call. Nothing: waits for ever. Zero: does not wait, throws WouldBlock. Throws
  // std::invalid_argument when it is negative.
  void set_timeout(Timeout timeout);
  [[nodiscard]] Timeout timeout() const noexcept;
  // How long a call may wait without a single byte moving, whatever its budget; this ends stalls and not long
  // transfers.
  void set_idle_timeout(Timeout timeout);
  [[nodiscard]] Timeout idle_timeout() const noexcept;
  // The least pace from now on, or none. A peer that keeps less is a SocketTimeout in the call that waits for it.
  // Throws std::invalid_argument for a window that is not positive.
  void set_least_pace(std::optional<LeastPace> pace);
  // set_timeout(0s) or set_timeout(nullopt).
  void set_blocking(bool on);

  // Options -------------------------------------------------------------------------------------------------------
  template <class T, class V>
  void set(const SocketOption<T>& option, const V& value) {
    detail::set_option(live("setsockopt"), option, value);
    if constexpr (std::is_same_v<T, option::Linger>) lingers(value);
  }
  template <class T>
  [[nodiscard]] auto get(const SocketOption<T>& option) const {
    return detail::get_option(live("getsockopt"), option);
  }
  template <class T, class V>
  void set(const IpOption<T>& option, const V& value) {
    set(option.of(family()), value);
  }
  template <class T>
  [[nodiscard]] auto get(const IpOption<T>& option) const {
    return get(option.of(family()));
  }
  // From now on what is sent to the group arrives here too, if the socket is bound to its port; on the interface of
  // that name, or on the one that the routes choose. Throws SystemError; std::invalid_argument for an address that is
  // no multicast group.
  void join_group(const Address& group, const std::string& interface = {});
  void leave_group(const Address& group, const std::string& interface = {});
  void set_no_delay(bool on) { set(option::no_delay, on); }
  void set_keep_alive(const KeepAlive& settings);
  // The pending error of the socket, which is thereby cleared; 0 when there is none.
  [[nodiscard]] int take_error();

  // What it is ----------------------------------------------------------------------------------------------------
  [[nodiscard]] int family() const noexcept;
  [[nodiscard]] int type() const noexcept;
  [[nodiscard]] int protocol() const noexcept;
  // Throw SystemError (ENOTCONN) and SocketClosed.
  [[nodiscard]] Address peer_name() const;
  [[nodiscard]] Address sock_name() const;
  // In words, for messages: where it leads, or "socket 7" while it leads nowhere.
  [[nodiscard]] std::string peer() const override;
  // -1 once closed.
  [[nodiscard]] int fileno() const noexcept;
  [[nodiscard]] bool closed() const noexcept;

  // Ending --------------------------------------------------------------------------------------------------------
  // Twice is fine, and so is a connection that has ended meanwhile; ENOTCONN when it was never connected.
  void shutdown(Shutdown how = Shutdown::both);
  void shutdown_write() override { shutdown(Shutdown::write); }
  // Idempotent; wakes whoever waits on the socket with SocketClosed and returns when they have left it. With
  // option::linger it also waits for that (a fiber without holding up its loop), and so does the destructor.
  void close() noexcept override;
  // Gives up the descriptor without closing it (non-blocking as it is); the socket is closed then. Wakes as close()
  // does.
  [[nodiscard]] UniqueFd detach() noexcept;

 private:
  friend class Listener;
  struct Core;
  class Operation;
  explicit Socket(std::unique_ptr<Core> core) noexcept;
  [[nodiscard]] Socket accept_one(Operation& operation) const;
  static Socket accepted(int fd, const Address& peer, const Socket& by);
  [[nodiscard]] Core& core(const char* operation) const;
  void lingers(const option::Linger& how) noexcept;
  // The descriptor, held open until the call on it is over.
  class Live {
   public:
    Live(Core& core, const char* operation);
    Live(const Live&) = delete;
    Live& operator=(const Live&) = delete;
    ~Live();
    operator int() const noexcept { return fd_; }  // NOLINT(google-explicit-constructor): it stands for the number

   private:
    Core& core_;
    int fd_;
  };
  [[nodiscard]] Live live(const char* operation) const { return {core(operation), operation}; }
  static int start_connecting(Operation& operation, const Address& address);
  std::size_t send_datagram(std::span<const BytesView> parts, const Address* to, const char* name);
  static std::uint64_t send_by_copying(Operation& operation, int file, std::uint64_t offset, std::uint64_t count,
                                       std::uint64_t sent);
  std::unique_ptr<Core> core_;
};

// Two connected UNIX sockets; SOCK_NONBLOCK as for one. Throws SystemError.
std::pair<Socket, Socket> socketpair(int type = SOCK_STREAM);

}  // namespace hawser
