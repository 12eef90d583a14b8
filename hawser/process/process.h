// Process: a function that runs in a process of its own, like Python's multiprocessing.Process.
//
//   Process child(count_to, 20, {.name = "counter"});
//   child.start();
//   child.join();                       // *child.exit_code() == 0
//
// What the child changes, the parent does not see. It ends with 0 when the function returns, with 1 and the message on
// standard error when it throws, with what it gives to exit(3), of which a process keeps eight bits.
//
// How it starts. `forked` (the default): a copy of this process at the moment of start(), in which the function runs on
// a thread of its own, outside any fiber; it may call run(), start threads and processes. Any callable will do, and
// what it captures is there, also by reference. What other threads had half done at that moment stays so: hawser's own
// state and the C library's allocator are made right, but a lock that another thread held, of this program or of some
// library, stays locked in the child (<hawser/fiber/fork.h>). `afresh`: the program's file is executed anew, and the
// child has nothing of its parent but the arguments; for a plain function with serialisable arguments
// (<hawser/process/serialise.h>), safe beside any threads, some milliseconds dearer. main() is not called there.
//
// In the child: standard input is empty; signals that the program handles have their default action; thread_local
// variables are new; the other ends of connections are open until closed (<hawser/process/connection.h>). The parent
// lets go of the function and its arguments once the child has them, so an end that was moved into the child is closed
// here.
//
// How it ends. The destructor waits for the end, and so does the end of the process, by exit(3) or by returning from
// main; with .daemon they end it: SIGTERM, after a second SIGKILL. A daemon is also killed when its parent dies in any
// other way. No child stays a zombie: it is reaped by whoever looks first. Waits throw TimedOut never, but
// DeadlineExceeded and Cancelled, on fibers and on threads; the child then runs on. Only the process that started a
// child may wait for it (std::logic_error elsewhere). All calls may come from any thread or fiber once start() has
// returned.
#pragma once

#include <sys/types.h>

#include <concepts>
#include <csignal>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <hawser/base/clock.h>
#include <hawser/process/current_process.h>
#include <hawser/process/process_target.h>

namespace hawser {

enum class ProcessStart : std::uint8_t { forked, afresh };

struct ProcessOptions {
  // "Process-1" and so on when empty.
  std::string name = {};
  bool daemon = false;
  ProcessStart start = ProcessStart::forked;
};

namespace detail {
struct Child;
template <class T>
concept ProcessArgument = !std::same_as<std::remove_cvref_t<T>, ProcessOptions>;
}  // namespace detail

class Process {
 public:
  // For subclasses with a run() of their own.
  explicit Process(ProcessOptions options = {});

  // function(args...), copied or moved in; std::ref() passes a reference, to the child's copy. Up to six arguments.
  template <detail::ProcessArgument F>
  explicit Process(F function, ProcessOptions options = {})
      : Process(detail::make_target(std::move(function)), std::move(options)) {}
  template <class F, detail::ProcessArgument A>
  Process(F function, A a, ProcessOptions options = {})
      : Process(detail::make_target(std::move(function), std::move(a)), std::move(options)) {}
  template <class F, class A, detail::ProcessArgument B>
  Process(F function, A a, B b, ProcessOptions options = {})
      : Process(detail::make_target(std::move(function), std::move(a), std::move(b)), std::move(options)) {}
  template <class F, class A, class B, detail::ProcessArgument C>
  Process(F function, A a, B b, C c, ProcessOptions options = {})
      : Process(detail::make_target(std::move(function), std::move(a), std::move(b), std::move(c)),
                std::move(options)) {}
  template <class F, class A, class B, class C, detail::ProcessArgument D>
  Process(F function, A a, B b, C c, D d, ProcessOptions options = {})
      : Process(detail::make_target(std::move(function), std::move(a), std::move(b), std::move(c), std::move(d)),
                std::move(options)) {}
  template <class F, class A, class B, class C, class D, detail::ProcessArgument E>
  Process(F function, A a, B b, C c, D d, E e, ProcessOptions options = {})
      : Process(detail::make_target(std::move(function), std::move(a), std::move(b), std::move(c), std::move(d),
                                    std::move(e)),
                std::move(options)) {}
  template <class F, class A, class B, class C, class D, class E, detail::ProcessArgument G>
  Process(F function, A a, B b, C c, D d, E e, G g, ProcessOptions options = {})
      : Process(detail::make_target(std::move(function), std::move(a), std::move(b), std::move(c), std::move(d),
                                    std::move(e), std::move(g)),
                std::move(options)) {}

  Process(Process&& other) noexcept = default;
  Process& operator=(Process&& other) noexcept;
  // Waits for the child, or ends it (daemon). Does nothing in another process than the one that started it.
  virtual ~Process();

  // Once (std::logic_error). Throws SystemError; std::logic_error when what is to run can't be told to a process that
  // is started afresh.
  void start();
  // Waits for the end; false when the timeout came first. std::logic_error before start().
  bool join(Timeout timeout = std::nullopt);
  // Harmless when it has ended. std::logic_error before start().
  void send_signal(int signal);
  void terminate() { send_signal(SIGTERM); }
  void kill() { send_signal(SIGKILL); }

  [[nodiscard]] bool is_alive() const;
  // -N when signal N ended it; nothing before start() and while it runs.
  [[nodiscard]] std::optional<int> exit_code() const;
  // Nothing before start().
  [[nodiscard]] std::optional<pid_t> pid() const noexcept;
  // Readable once the child has ended, for a Selector or poll(2). Stays the Process's. std::logic_error before start().
  [[nodiscard]] int sentinel() const;
  [[nodiscard]] const std::string& name() const noexcept { return options_.name; }
  [[nodiscard]] bool daemon() const noexcept { return options_.daemon; }

 protected:
  // In the child. Calls the function.
  virtual void run();

 private:
  Process(std::unique_ptr<detail::ProcessTarget> target, ProcessOptions options);
  [[nodiscard]] detail::Child& child(const char* operation) const;
  [[nodiscard]] std::shared_ptr<detail::Child> fork_child();
  [[nodiscard]] std::shared_ptr<detail::Child> start_fresh_child();
  void end_child() noexcept;

  ProcessOptions options_;
  std::unique_ptr<detail::ProcessTarget> target_;
  std::shared_ptr<detail::Child> child_;
};

}  // namespace hawser
