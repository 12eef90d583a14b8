// LookupThreads: getaddrinfo(3) and its kin on threads of its own. Internal; see resolver.h.
//
// Not offload(): that call lasts until the function has ended, and getaddrinfo may hang for half a minute in a name
// server's silence, deaf to deadlines and cancellation. Here the question belongs to the threads and the caller leaves
// when it likes; a plain thread gets deadlines in this way too.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <hawser/base/clock.h>
#include <hawser/net/address.h>

namespace hawser {
namespace detail {

struct Answer {
  int code = 0;  // of getaddrinfo; 0 when it worked
  int error_number = 0;
  std::vector<Address> addresses;  // port 0
  std::string name;                // of a host or service
  int port = 0;                    // of a service
};

class LookupThreads {
 public:
  // One of each for the process, never destroyed: a lookup may outlive main(). Services are looked up in files, and not
  // behind names that a silent name server holds up.
  static LookupThreads& of_names();
  static LookupThreads& of_services();

  using Ask = std::function<Answer()>;
  // What getaddrinfo(3) says about a host.
  [[nodiscard]] static Ask addresses_of(std::string host, int family);

  // Runs ask on one of the threads, and waits for its answer. what is for the messages. Throws SocketTimeout,
  // DeadlineExceeded, Cancelled.
  [[nodiscard]] Answer look_up(const std::string& what, Ask ask, Expiry expiry);

  class Lookup;

 private:
  struct Question {
    Ask ask;
    std::function<void()> notify;  // under the mutex; empty once the caller has left
    bool answered = false;
    bool given_up = false;  // while a thread was at it
    Answer answer;
  };

  LookupThreads();
  void submit(const std::shared_ptr<Question>& question);
  [[nodiscard]] bool wants_thread() const noexcept;
  void start_thread();
  void work() noexcept;

  std::mutex mutex_;
  std::condition_variable more_;
  std::deque<std::shared_ptr<Question>> line_;
  int threads_ = 0;
  int idle_ = 0;
  int for_nobody_ = 0;  // of threads_: whose callers have left
};

// One question, asked when it is made and given up when it goes.
class LookupThreads::Lookup {
 public:
  // notify is called on a thread of the resolver when the answer is there, at most once and never after the Lookup is
  // gone. It must be short.
  Lookup(Ask ask, std::function<void()> notify, LookupThreads& threads = of_names());
  Lookup(const Lookup&) = delete;
  Lookup& operator=(const Lookup&) = delete;
  ~Lookup();

  [[nodiscard]] bool answered() const;
  // Once it is answered; once.
  [[nodiscard]] Answer take();

 private:
  LookupThreads& threads_;
  std::shared_ptr<Question> question_;
};

}  // namespace detail
}  // namespace hawser
