#include <hawser/serve/conversations.h>

#include <mutex>
#include <utility>

#include <hawser/fiber/run.h>

namespace hawser::detail {

class Conversations::Entry {
 public:
  Entry(Conversations& all, std::shared_ptr<Conversation> conversation) noexcept
      : all_(all), conversation_(std::move(conversation)) {}
  Entry(Entry&&) noexcept = default;
  Entry& operator=(Entry&&) = delete;
  ~Entry() {
    if (conversation_) all_.end(*conversation_);
  }
  void run() { all_.serve_(conversation_->socket); }

 private:
  Conversations& all_;
  std::shared_ptr<Conversation> conversation_;
};

Conversations::Conversations(std::function<void(Socket&)> serve, std::function<void()> ended)
    : serve_(std::move(serve)), ended_(std::move(ended)) {}

void Conversations::start(Socket socket) {
  std::shared_ptr<Conversation> conversation;
  try {
    conversation = std::make_shared<Conversation>();
  } catch (...) {
    ended_();
    throw;
  }
  conversation->socket = std::move(socket);
  enter(*conversation);
  auto body = [entry = Entry(*this, conversation)]() mutable { entry.run(); };
  const int loop = next_loop_;
  next_loop_ = (loop + 1) % loop_count();
  const AnyTask task = loop == loop_index() ? spawn(std::move(body)) : spawn_on(loop, std::move(body));
  const std::lock_guard hold(lock_);
  if (!conversation->ended) conversation->task = task;  // on another loop it may be over already
}

std::size_t Conversations::size() const noexcept {
  const std::lock_guard hold(lock_);
  return count_;
}

void Conversations::cancel_all() noexcept {
  const std::lock_guard hold(lock_);
  for (Conversation* it = first_; it; it = it->next) {
    if (it->task.valid()) it->task.kill();
  }
}

bool Conversations::wait_empty(Timeout timeout) {
  Waiter waiter("end of the conversations");
  if (!begin_waiting(waiter)) return true;
  const Wake why = waiter.park(Expiry::of(timeout));
  if (end_waiting()) return true;
  if (why != Wake::expired) throw_unless_ready(why, "wait for the conversations");
  return false;
}

void Conversations::see_out() noexcept {
  Waiter waiter("end of the conversations");
  if (!begin_waiting(waiter)) return;
  waiter.park_uninterrupted();
  end_waiting();
}

bool Conversations::begin_waiting(Waiter& waiter) noexcept {
  const std::lock_guard hold(lock_);
  if (count_ == 0) return false;
  waiting_ = &waiter;
  return true;
}

bool Conversations::end_waiting() noexcept {
  const std::lock_guard hold(lock_);
  waiting_ = nullptr;
  return count_ == 0;
}

void Conversations::enter(Conversation& conversation) noexcept {
  const std::lock_guard hold(lock_);
  conversation.next = first_;
  if (first_) first_->previous = &conversation;
  first_ = &conversation;
  ++count_;
}

void Conversations::end(Conversation& conversation) noexcept {
  conversation.socket.close();
  ended_();
  AnyTask task;  // let go of outside the lock
  const std::lock_guard hold(lock_);
  conversation.ended = true;
  task = std::move(conversation.task);
  (conversation.previous ? conversation.previous->next : first_) = conversation.next;
  if (conversation.next) conversation.next->previous = conversation.previous;
  if (--count_ == 0 && waiting_) waiting_->unpark();
}

}  // namespace hawser::detail
