#include <hawser/serve/fiber_tcp_server.h>

#include <atomic>
#include <stdexcept>

#include <hawser/base/errors.h>
#include <hawser/base/log.h>
#include <hawser/fiber/run.h>
#include <hawser/fiber/task_group.h>
#include <hawser/net/listener.h>
#include <hawser/serve/conversations.h>
#include <hawser/serve/stop_signal.h>
#include <hawser/sync/event.h>
#include <hawser/sync/semaphore.h>

namespace hawser {
namespace {

ServerOptions checked(ServerOptions options) {
  if (options.max_connections == 0) throw std::invalid_argument("max_connections must be at least 1");
  static_cast<void>(Expiry::in(options.drain));
  static_cast<void>(Expiry::of(options.idle_timeout));
  static_cast<void>(Expiry::of(options.request_deadline));
  return options;
}

}  // namespace

class FiberServer::State {
 public:
  State(const Endpoint& endpoint, ServeConnection handler, ServerOptions options)
      : processor_(std::move(handler), checked(std::move(options))),
        listener_(endpoint, processor_.options().listen),
        slots_(static_cast<std::int64_t>(processor_.options().max_connections)),
        conversations_([this](Socket& peer) { processor_.run(peer); }, [this] { slots_.release(); }) {}

  void serve();
  void request_stop() noexcept { stop_.request(); }
  [[nodiscard]] bool stopping() const noexcept { return stop_.requested(); }
  bool wait_stopped(Timeout timeout) {
    const bool never_began = !begun_.load(std::memory_order_acquire) && stop_.requested();
    return never_began || stopped_.wait(timeout);
  }
  [[nodiscard]] const Address& address() const noexcept { return listener_.address(); }
  [[nodiscard]] std::size_t connections() const noexcept { return conversations_.size(); }

 private:
  void accept_until_stopped();
  void cut() noexcept;

  RequestProcessor processor_;
  Listener listener_;
  Semaphore slots_;
  StopSignal stop_;
  detail::Conversations conversations_;
  std::atomic<bool> begun_{false};
  Event stopped_;
};

void FiberServer::State::serve() {
  if (!in_fiber()) throw std::logic_error("serve_forever: a fiber server serves inside run()");
  if (begun_.exchange(true)) throw std::logic_error("serve_forever: a server serves once");
  struct Stopped {  // after the helpers are gone
    Event& event;
    ~Stopped() { event.set(); }
  } const stopped{stopped_};
  // Closing the listener is what wakes accept(); the permit is for when all of them are taken.
  TaskGroup helpers;
  helpers.spawn([this] {
    set_fiber_name("server stop");
    stop_.wait();
    listener_.close();
    slots_.release();
  });
  std::exception_ptr failure;
  try {
    accept_until_stopped();
    listener_.close();
    conversations_.wait_empty(processor_.options().drain);
  } catch (...) {
    failure = std::current_exception();
  }
  cut();
  helpers.cancel();
  if (failure) std::rethrow_exception(failure);
}

void FiberServer::State::accept_until_stopped() {
  while (!stop_.requested()) {
    slots_.acquire();
    Socket peer;
    try {
      peer = listener_.accept();
    } catch (const SocketClosed&) {
      return;
    }
    try {
      conversations_.start(std::move(peer));
    } catch (const std::bad_alloc&) {
      log_line(LogLevel::error, "no memory for a connection to " + address().str() + "; it was closed");
    }
  }
}

// Nobody's deadline or cancellation may leave conversations behind that use this server.
void FiberServer::State::cut() noexcept {
  listener_.close();
  conversations_.cancel_all();
  conversations_.see_out();
}

FiberServer::FiberServer(const Endpoint& endpoint, ServeConnection handler, ServerOptions options)
    : state_(std::make_unique<State>(endpoint, std::move(handler), std::move(options))) {}
FiberServer::~FiberServer() = default;

void FiberServer::serve_forever() { state_->serve(); }
void FiberServer::request_stop() noexcept { state_->request_stop(); }
bool FiberServer::stopping() const noexcept { return state_->stopping(); }
bool FiberServer::wait_stopped(Timeout timeout) { return state_->wait_stopped(timeout); }
const Address& FiberServer::address() const noexcept { return state_->address(); }
std::size_t FiberServer::connections() const noexcept { return state_->connections(); }

}  // namespace hawser
