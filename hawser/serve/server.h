// Server: what every server can do, whatever it serves and however it runs its requests.
//
// The constructor binds and listens, so that address() tells the port (0 asks for any) before anything is served.
// serve_forever() takes requests until request_stop(), then drains and cuts as the options say; it may be called in a
// fiber and on a plain thread (a Fiber server: in a fiber only). A server serves once; to restart, make another.
//
// The order, as in Python's socketserver: server_bind, server_activate; then for each request get_request,
// verify_request, process_request (hands it to a fiber, a thread, a process), finish_request (the handler: setup,
// handle, finish), shutdown_request, close_request; service_actions after each, handle_error for what went wrong,
// handle_timeout when handle_request() waited in vain. All are virtual: derive from a server to change one. The first
// three and service_actions are called one at a time by the context that serves, or, with DealOut::reuse_port, on each
// loop at once; the others by whatever runs the request, several at once. verify_request and process_request may throw:
// that ends their own request only.
//
// In a forked child the servers of its parent are not the child's: there their destructors and server_close() only let
// go of what they have.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

#include <hawser/base/clock.h>
#include <hawser/net/address.h>
#include <hawser/serve/runner.h>
#include <hawser/serve/server_options.h>
#include <hawser/serve/stop_signal.h>
#include <hawser/sync/event.h>
#include <hawser/sync/semaphore.h>

namespace hawser {

class Server {
 public:
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  // serve_forever() must have returned. Cuts and waits for what handle_request() has begun; a class that overrides
  // hooks calls server_close() in its own destructor for that.
  virtual ~Server();

  // Serves until request_stop(); returns when the last request has ended. At once when the stop came before. Throws
  // Cancelled, DeadlineExceeded and what get_request throws, having cut and seen out all requests; std::logic_error
  // when it is called twice, or, on a Fiber server, outside run().
  void serve_forever();

  // Takes one request and processes it; false when none came within the options' timeout (then handle_timeout() has
  // been called), or the server was asked to stop. With threads, processes and fibers the request may outlast the call.
  bool handle_request();

  // Asks the server to stop. Idempotent; from any thread, fiber, handler or signal handler; before, while and after it
  // serves. Takes effect in milliseconds. In a forked child it has no effect on the parent.
  void request_stop() noexcept { stop_.request(); }
  [[nodiscard]] bool stopping() const noexcept { return stop_.requested(); }
  // Waits until serve_forever() has stopped. False when the timeout came first. Any thread or fiber. A handler that
  // calls it waits for itself until the drain is over and it is cut.
  bool wait_stopped(Timeout timeout = std::nullopt);

  // Stops listening, cuts what is under way and waits for its end. Not while serve_forever() runs. Idempotent.
  void server_close() noexcept;

  // Where it listens.
  [[nodiscard]] virtual const Address& address() const noexcept = 0;
  // Of the (first) socket; -1 once closed.
  [[nodiscard]] virtual int fileno() const noexcept = 0;
  // Requests under way.
  [[nodiscard]] std::size_t connections() const noexcept { return running_.load(std::memory_order_relaxed); }
  [[nodiscard]] Form form() const noexcept { return limits_.form; }

  // Make the socket, and set it going. By the constructor, unless the options say bind_and_activate = false.
  virtual void server_bind() = 0;
  virtual void server_activate() {}

 protected:
  // What serving needs of the options, whatever the request's type.
  struct Limits {
    Form form;
    std::size_t max_running;
    std::size_t max_waiting;  // accepted and not running yet
    Timeout timeout;
    Timeout service_interval;
    Timeout request_deadline;
    Duration drain;
    bool block_on_close;
    DealOut deal_out;
  };
  explicit Server(const Limits& limits);

  // handle_request() has waited in vain.
  virtual void handle_timeout() {}
  // After each request, and every service_interval.
  virtual void service_actions() {}

  // For the classes between this one and a user's -----------------------------------------------------------------
  // Where requests come in, one a context that serves.
  struct Entrance {
    bool has_permit = false;  // to take a request in; passes to what runs it
    Timeout patience;         // of get_request
  };
  // Of the calling context.
  [[nodiscard]] Entrance& entrance() noexcept;
  [[nodiscard]] std::size_t entrance_number() const noexcept;
  // get, verify, process. Throws what get_request throws.
  virtual void take_one() = 0;
  // After get_request: whether to go on, or the server stops.
  [[nodiscard]] bool admit();
  // Makes get_request end with SocketClosed, now and from now on. From any context.
  virtual void close_entrances() noexcept = 0;
  // Makes `count` entrances for as many loops. Throws SystemError.
  virtual void open_entrances(std::size_t count) = 0;
  // Drops what was taken in and does not run yet.
  virtual void drop_waiting() noexcept {}
  // All requests have been cut: ends what their handlers may share and wait on.
  virtual void all_cut() noexcept {}
  [[nodiscard]] detail::Runner& runner() noexcept { return *runner_; }
  [[nodiscard]] std::size_t max_running() const noexcept { return limits_.max_running; }
  // A job begins (taking over the entrance's permit), and ends.
  [[nodiscard]] bool job_begins() noexcept;
  void job_ends(bool had_permit) noexcept;
  void give_permit_back() noexcept { permits_.release(); }

 private:
  void begin();
  void refuse() noexcept;
  void on_stop() noexcept;
  void serve_on_all_entrances();
  void serve_entrance();
  bool take_permit(Timeout timeout);
  [[nodiscard]] bool one_entrance() const noexcept { return entrances_.size() == 1; }
  void cut() noexcept;
  void cut_all() noexcept;
  // What runs the requests is the parent's.
  [[nodiscard]] bool runs_elsewhere() const noexcept;

  const Limits limits_;
  Semaphore permits_;
  StopSignal stop_;
  std::atomic<std::size_t> running_{0};
  std::atomic<bool> begun_{false};
  Event stopped_;
  std::unique_ptr<detail::Runner> runner_;
  std::uint32_t runs_in_ = 0;  // the fork_generation() that made it
  std::vector<Entrance> entrances_{1};
};

}  // namespace hawser
