// BasicServer: the hooks of a server for one kind of request: Socket (a connection) or DatagramRequest. What users name
// are StreamServer and DatagramServer, which derive from it, and TcpServer and the others, which derive from those.
#pragma once

#include <exception>
#include <functional>

#include <hawser/serve/server.h>
#include <hawser/serve/server_options.h>

namespace hawser {

template <class Request>
class BasicServer : public Server {
 public:
  using Options = BasicServerOptions<Request>;
  using Serve = std::function<void(Request& request)>;

  [[nodiscard]] const Options& options() const noexcept { return options_; }

 protected:
  BasicServer(Form form, Serve handler, Options options);

  // Waits for the next request. Throws SocketTimeout when none comes within entrance().patience, SocketClosed when the
  // server stops; anything else ends serve_forever(), which rethrows it.
  virtual Request get_request() = 0;
  // Whether to serve it: what the options' function says. It must not wait for the peer: everybody behind it would.
  virtual bool verify_request(Request& request);
  // Gives it to whatever runs requests in this form. An override may serve it there and then (finish_request,
  // shutdown_request), or change it and call this.
  virtual void process_request(Request& request);
  // The handler.
  virtual void finish_request(Request& request);
  // Ends it properly, then close_request().
  virtual void shutdown_request(Request& request) = 0;
  virtual void close_request(Request& request) = 0;
  // What the options' function does, or a line in the log.
  virtual void handle_error(std::exception_ptr error, Request& request);

  // For the classes between this one and a user's -----------------------------------------------------------------
  // Sets the request's limits, before finish_request().
  virtual void limit_request(Request&) {}
  // Closes it, also under a thread that waits on it. From any context, several times.
  virtual void cut_request(Request& request) noexcept = 0;
  // Forking: closes what the child, or the parent, has no use for.
  virtual void leave_to_child(Request& request) noexcept = 0;
  virtual void enter_child() noexcept = 0;
  // The next one for a context that has just ended one; false: none.
  virtual bool next_request(Request&) noexcept { return false; }
  virtual void job_went_unrun() noexcept {}
  // In words, for the log.
  [[nodiscard]] virtual std::string name_of(const Request& request) const = 0;
  void start_job(Request& request);

 private:
  class RequestJob;
  void take_one() final;
  // Serves it from limits to close. Never throws: errors end in handle_error.
  void converse(Request& request) noexcept;
  void report(std::exception_ptr error, Request& request) noexcept;

  const Options options_;
  const Serve handler_;
};

extern template class BasicServer<Socket>;
extern template class BasicServer<DatagramRequest>;

// True for errors that peers cause every day and that tell the owner of a server nothing: the peer reset or left the
// connection, a timeout or deadline ended it, the server's stop cut it.
[[nodiscard]] bool is_everyday_error(const std::exception_ptr& error) noexcept;

}  // namespace hawser
