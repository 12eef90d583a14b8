#include <hawser/net/lookup_threads.h>

#include <netdb.h>

#include <algorithm>
#include <cerrno>
#include <new>

#include <hawser/base/errors.h>
#include <hawser/base/fork.h>
#include <hawser/base/made_once.h>
#include <hawser/base/start_thread.h>
#include <hawser/fiber/waiter.h>
#include <hawser/net/resolver.h>

namespace hawser::detail {
namespace {

constexpr std::chrono::seconds kIdleThreadLives{10};

Answer get_addresses(const std::string& host, int family) {
  Answer answer;
  addrinfo hints{};
  hints.ai_family = family;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  answer.code = ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
  answer.error_number = errno;
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(answer.code == 0 ? list : nullptr, &::freeaddrinfo);
  for (const addrinfo* entry = owner.get(); entry; entry = entry->ai_next) {
    if (entry->ai_family == AF_INET || entry->ai_family == AF_INET6) {
      answer.addresses.push_back(Address::from(entry->ai_addr, entry->ai_addrlen));
    }
  }
  return answer;
}

}  // namespace

LookupThreads::LookupThreads() {
  hold_over_fork(
      mutex_, ForkOrder::outer,
      [](void* self) noexcept {
        auto& threads = *static_cast<LookupThreads*>(self);
        ::new (&threads.more_) std::condition_variable();  // it counts waiters that are not there
        threads.line_.clear();
        threads.threads_ = threads.idle_ = threads.for_nobody_ = 0;
      },
      this);
}

namespace {
constinit MadeOnce<LookupThreads> g_names, g_services;
[[maybe_unused]] const bool g_made_early = (LookupThreads::of_names(), LookupThreads::of_services(), true);
}  // namespace

LookupThreads& LookupThreads::of_names() {
  return g_names.get([] { return LookupThreads(); });
}
LookupThreads& LookupThreads::of_services() {
  return g_services.get([] { return LookupThreads(); });
}

LookupThreads::Ask LookupThreads::addresses_of(std::string host, int family) {
  return [host = std::move(host), family] { return get_addresses(host, family); };
}

Answer LookupThreads::look_up(const std::string& what, Ask ask, Expiry expiry) {
  Waiter waiter("resolve");
  Lookup lookup(
      std::move(ask), [&waiter] { waiter.unpark(); }, *this);
  const Wake why = waiter.park(expiry);
  if (lookup.answered()) return lookup.take();
  if (why == Wake::expired) throw SocketTimeout("resolve " + what + ": timed out");
  throw_unless_ready(why, "resolve " + what);
  throw std::logic_error("resolve " + what + ": woken without an answer");
}

LookupThreads::Lookup::Lookup(Ask ask, std::function<void()> notify, LookupThreads& threads)
    : threads_(threads),
      question_(
          std::make_shared<Question>(Question{.ask = std::move(ask), .notify = std::move(notify), .answer = {}})) {
  threads_.submit(question_);
}

LookupThreads::Lookup::~Lookup() {
  const std::lock_guard hold(threads_.mutex_);
  question_->notify = nullptr;
  if (std::erase(threads_.line_, question_) != 0 || question_->answered) return;
  question_->given_up = true;
  ++threads_.for_nobody_;
  if (!threads_.wants_thread()) return;
  try {
    threads_.start_thread();
  } catch (const std::exception&) {  // those that there are come to it in time
  }
}

bool LookupThreads::Lookup::answered() const {
  const std::lock_guard hold(threads_.mutex_);
  return question_->answered;
}

Answer LookupThreads::Lookup::take() {
  const std::lock_guard hold(threads_.mutex_);
  return std::move(question_->answer);
}

void LookupThreads::submit(const std::shared_ptr<Question>& question) {
  const std::lock_guard hold(mutex_);
  line_.push_back(question);
  if (wants_thread()) {
    try {
      start_thread();
    } catch (...) {
      if (threads_ == 0) {  // nobody would ever answer
        line_.pop_back();
        throw;
      }
    }
  }
  more_.notify_one();
}

bool LookupThreads::wants_thread() const noexcept {
  return static_cast<int>(line_.size()) > idle_ && threads_ - for_nobody_ < kResolverThreads &&
         threads_ < kResolverThreadsAtMost;
}

void LookupThreads::start_thread() {
  start_quiet_thread("of the resolver", [this] { work(); }).detach();
  ++threads_;
}

void LookupThreads::work() noexcept {
  std::unique_lock hold(mutex_);
  for (;;) {
    ++idle_;
    const bool found = more_.wait_for(hold, kIdleThreadLives, [this] { return !line_.empty(); });
    --idle_;
    if (!found) break;
    const std::shared_ptr<Question> question = std::move(line_.front());
    line_.pop_front();
    hold.unlock();
    Answer answer;
    try {
      answer = question->ask();
    } catch (const std::bad_alloc&) {
      answer.code = EAI_MEMORY;
    }
    hold.lock();
    question->answer = std::move(answer);
    question->answered = true;
    if (question->notify) question->notify();
    if (question->given_up) {
      --for_nobody_;
      if (threads_ - for_nobody_ > kResolverThreads) break;  // it was made up for
    }
  }
  --threads_;
}

}  // namespace hawser::detail
