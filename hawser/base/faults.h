// FaultInjection: makes system calls of the library fail, or do less than they were asked, as kernels do on bad days:
// for tests of what has to go on all the same. Only in builds configured with HAWSER_FAULTS (the debug and the
// sanitized presets); everywhere else system_calls.h is the kernel's own functions and a FaultInjection throws
// std::logic_error.
//
//   FaultInjection faults({{SystemCall::recv, Fault::kShort, 0.2}, {SystemCall::accept4, EMFILE, 0.1}}, seed);
//
// Lives from its construction to its destruction; one at a time for the process, and one for each thread, which then
// goes before. Same seed, same order of calls: same faults. Never waits; may be made and ended from any thread, while
// calls go on in others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>

namespace hawser {

enum class SystemCall : std::uint8_t {
  accept4,
  bind,
  clone,  // fork(2) as well
  close,  // EINTR only: the number is gone all the same, as close(2) has it
  connect,
  dup,
  epoll_create,
  epoll_ctl,
  epoll_wait,
  eventfd,
  flock,
  getsockname,  // getpeername(2) as well
  getsockopt,
  io_uring_enter,
  io_uring_register,
  io_uring_setup,
  ioctl,
  kill,
  listen,
  madvise,
  memfd_create,
  mmap,
  mprotect,
  open,  // posix_openpt(3) as well
  pidfd_open,
  pidfd_send_signal,
  pipe,
  poll,
  pread,
  read,
  recv,
  recvmmsg,  // short: fewer datagrams; sendmmsg(2) the same
  select,
  send,
  sendfile,
  sendmmsg,
  sendmsg,
  setsockopt,
  shutdown,
  socket,
  socketpair,
  splice,
  thread_create,  // what pthread_create(3) says
  waitid,
  write,
};
inline constexpr std::size_t kSystemCalls = static_cast<std::size_t>(SystemCall::write) + 1;

struct Fault {
  // In place of an error: the call is made, for a part of the bytes.
  static constexpr int kShort = 0;

  SystemCall call;
  int error = kShort;      // what errno says
  double probability = 0;  // of each call, 0 to 1
  std::uint64_t nth = 0;   // or just that call, counted from 1
};

class FaultInjection {
 public:
  enum class Scope : std::uint8_t { process, thread };

  // Throws std::invalid_argument for a probability that is none, std::logic_error when one of that scope lives already
  // or the build has no faults. NOLINTNEXTLINE(google-explicit-constructor)
  explicit FaultInjection(std::initializer_list<Fault> faults, std::uint64_t seed = 1, Scope scope = Scope::process);
  FaultInjection(const FaultInjection&) = delete;
  FaultInjection& operator=(const FaultInjection&) = delete;
  // For Scope::thread: on the thread that made it.
  ~FaultInjection();

  // How many faults have struck so far: of all, or of one call.
  [[nodiscard]] std::uint64_t struck() const noexcept;
  [[nodiscard]] std::uint64_t struck(SystemCall call) const noexcept;

  struct Plan;

 private:
  Plan* plan_;
  Scope scope_;
};

}  // namespace hawser
