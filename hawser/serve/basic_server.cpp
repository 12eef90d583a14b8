#include <hawser/serve/basic_server.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <hawser/base/errors.h>
#include <hawser/base/log.h>
#include <hawser/fiber/deadline.h>
#include <hawser/net/buffered_reader.h>
#include <hawser/serve/datagram_request.h>

namespace hawser {
namespace {

std::size_t default_limit(Form form) {
  switch (form) {
    case Form::one_at_a_time:
      return 1;
    case Form::threading:
      return 1'000;
    case Form::forking:
      return 500;
    case Form::fiber:
      break;
  }
  return 10'000;
}

// Connections wait in the backlog; datagrams are taken out of the kernel's small buffer.
template <class Request>
std::size_t waiting_room(Form form, std::size_t max_pending) {
  return !std::is_same_v<Request, Socket> && (form == Form::threading || form == Form::fiber) ? max_pending : 0;
}

// An error that a caller up the stack would have caught; here there is none.
void log_error(const std::exception_ptr& error, const std::string& name) {
  log_line(LogLevel::error, "request from " + name + ": " + describe(error));
}

}  // namespace

bool is_everyday_error(const std::exception_ptr& error) noexcept {
  try {
    std::rethrow_exception(error);
  } catch (const Cancelled&) {
    return true;
  } catch (const TimedOut&) {
    return true;
  } catch (const DeadlineExceeded&) {
    return true;
  } catch (const EndOfStream&) {
    return true;
  } catch (const SocketClosed&) {
    return true;
  } catch (const SystemError& e) {
    const int number = e.error_number();
    return number == ECONNRESET || number == EPIPE || number == ETIMEDOUT || number == ENOTCONN;
  } catch (...) {
    return false;
  }
}

template <class Request>
class BasicServer<Request>::RequestJob final : public detail::Job {
 public:
  RequestJob(BasicServer& server, Request&& request)
      : server_(server), request_(std::move(request)), has_permit_(server.job_begins()) {}

  [[nodiscard]] Request& request() noexcept { return request_; }

  void run() noexcept override {
    ran_ = true;
    do {
      server_.converse(request_);
    } while (server_.next_request(request_));
  }
  void cut() noexcept override { server_.cut_request(request_); }
  void end() noexcept override {
    if (!ran_) server_.job_went_unrun();
    server_.cut_request(request_);  // closed, and not destroyed: somebody may be cutting it just now
    server_.job_ends(has_permit_);
  }
  void leave_to_child() noexcept override { server_.leave_to_child(request_); }
  void child_failed(std::exception_ptr error) noexcept override { server_.report(std::move(error), request_); }
  void enter_child() noexcept override { server_.enter_child(); }

 private:
  BasicServer& server_;
  Request request_;
  bool has_permit_;
  bool ran_ = false;
};

template <class Request>
BasicServer<Request>::BasicServer(Form form, Serve handler, Options options)
    : Server({.form = form,
              .max_running = form == Form::one_at_a_time ? 1 : options.max_connections.value_or(default_limit(form)),
              .max_waiting = waiting_room<Request>(form, options.max_pending),
              .timeout = options.timeout,
              .service_interval = options.service_interval,
              .request_deadline = options.request_deadline,
              .drain = options.drain,
              .block_on_close = options.block_on_close,
              .deal_out = options.deal_out}),
      options_(std::move(options)),
      handler_(std::move(handler)) {
  static_cast<void>(Expiry::of(options_.idle_timeout));
}

template <class Request>
bool BasicServer<Request>::verify_request(Request& request) {
  return !options_.verify_request || options_.verify_request(request);
}

template <class Request>
void BasicServer<Request>::process_request(Request& request) {
  start_job(request);
}

template <class Request>
void BasicServer<Request>::start_job(Request& request) {
  const auto job = std::make_shared<RequestJob>(*this, std::move(request));
  try {
    runner().start(job);
  } catch (...) {
    report(std::current_exception(), job->request());  // which knows whose it was; it is closed
  }
}

template <class Request>
void BasicServer<Request>::finish_request(Request& request) {
  handler_(request);
}

template <class Request>
void BasicServer<Request>::take_one() {
  Request request = get_request();
  std::exception_ptr failure;
  try {
    if (!admit()) return close_request(request);
    if (verify_request(request)) return process_request(request);
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure) report(std::move(failure), request);
  try {
    shutdown_request(request);
  } catch (...) {
    report(std::current_exception(), request);
  }
}

template <class Request>
void BasicServer<Request>::converse(Request& request) noexcept {
  std::exception_ptr failure;
  try {
    limit_request(request);
    std::optional<Deadline> limit;
    if (options_.request_deadline) limit.emplace(*options_.request_deadline, "request deadline");
    finish_request(request);
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure) report(std::exchange(failure, {}), request);
  try {
    shutdown_request(request);
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure) report(std::move(failure), request);
}

template <class Request>
void BasicServer<Request>::handle_error(std::exception_ptr error, Request& request) {
  if (options_.handle_error) return options_.handle_error(std::move(error), request);
  if (!is_everyday_error(error)) log_error(error, name_of(request));
}

template <class Request>
void BasicServer<Request>::report(std::exception_ptr error, Request& request) noexcept {
  try {
    try {
      return handle_error(std::move(error), request);
    } catch (...) {
      error = std::current_exception();
    }
    if (!is_everyday_error(error)) log_error(error, name_of(request));
  } catch (...) {
    log_line(LogLevel::error, "a request failed, and there is no memory to say how");
  }
}

template class BasicServer<Socket>;
template class BasicServer<DatagramRequest>;

}  // namespace hawser
