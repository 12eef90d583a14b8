#include <hawser/fiber/uring_ring.h>

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <fstream>
#include <initializer_list>
#include <string>
#include <utility>

#include <hawser/base/errors.h>
#include <hawser/base/system_calls.h>

namespace hawser::detail {
namespace {

constexpr std::uint32_t kSubmissions = 256;
constexpr std::uint32_t kCompletions = 2048;  // more of them wait in the kernel
constexpr Duration kOutOfMemoryPause = std::chrono::milliseconds(1);

// A wait must not count as waiting for a disk (Linux 6.15); newer than the header.
constexpr std::uint32_t kFeatureNoIowait = 1U << 17;
constexpr std::uint32_t kEnterNoIowait = 1U << 7;

// One mapping for both queues, no completion ever lost, a timeout for each wait, polls that stay (the last came in 5.13
// together with the tags).
constexpr std::uint32_t kNeeded =
    IORING_FEAT_SINGLE_MMAP | IORING_FEAT_NODROP | IORING_FEAT_EXT_ARG | IORING_FEAT_RSRC_TAGS;

std::uint32_t setup_flags(UringRing::Mode mode) {
  const std::uint32_t always = IORING_SETUP_R_DISABLED | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
  switch (mode) {
    case UringRing::Mode::deferred:
      return always | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
             IORING_SETUP_TASKRUN_FLAG;
    case UringRing::Mode::cooperative:
      return always | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG;
    case UringRing::Mode::plain:
      break;
  }
  return always;
}

// Never the same for two threads, as a pthread_t may be once the first has ended.
std::uint64_t this_thread() noexcept {
  static std::atomic<std::uint64_t> last{0};
  thread_local const std::uint64_t number = last.fetch_add(1, std::memory_order_relaxed) + 1;
  return number;
}

std::string call_refused(int error) {
  if (error == EPERM) {
    std::ifstream setting("/proc/sys/kernel/io_uring_disabled");
    int value = 0;
    if (setting >> value && value) return "io_uring_setup (kernel.io_uring_disabled is " + std::to_string(value) + ")";
  }
  return "io_uring_setup";
}

}  // namespace

UringRing::Mapping::~Mapping() {
  if (base) ::munmap(base, bytes);
}

void UringRing::Mapping::map(int fd, std::size_t size, std::uint64_t offset) {
  void* const place =
      sys::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, static_cast<off_t>(offset));
  if (place == MAP_FAILED) throw_errno("mmap", "io_uring");
  base = place;
  bytes = size;
  sys::madvise(place, size, MADV_DONTFORK);  // a child must not use its parent's ring
}

UringRing::UringRing() {
  for (const Mode mode : {Mode::deferred, Mode::cooperative, Mode::plain}) {
    try {
      set_up(mode);
      return;
    } catch (const SystemError& error) {
      if (error.error_number() != EINVAL || mode == Mode::plain) throw;  // EINVAL: flags it does not know
    }
  }
}

UringRing::UringRing(Mode mode) { set_up(mode); }

UringRing::~UringRing() {
  if (!fd_) return;
  end();
}

void UringRing::set_up(Mode mode) {
  io_uring_params parameters{};
  parameters.flags = setup_flags(mode);
  parameters.cq_entries = kCompletions;
  UniqueFd fd(sys::io_uring_setup(kSubmissions, &parameters));
  if (!fd) {
    const int error = errno;
    throw SystemError(error, call_refused(error), "");
  }
  if ((parameters.features & kNeeded) != kNeeded) throw SystemError(ENOSYS, "io_uring (the kernel's is too old)", "");
  fd_ = std::move(fd);
  mode_ = mode;
  map(parameters);
  enter_flags_ = IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG;
  if (parameters.features & kFeatureNoIowait) enter_flags_ |= kEnterNoIowait;
  // A filter may let one call through and not the others: better to learn that now than in the middle of a run. A
  // disabled ring answers EBADFD.
  if (sys::io_uring_enter(fd_.get(), 0, 0, 0, nullptr, 0) < 0 && errno != EBADFD && errno != EINTR) {
    throw_errno("io_uring_enter", "");
  }
  alignas(io_uring_probe) std::byte probe[sizeof(io_uring_probe)] = {};
  if (sys::io_uring_register(fd_.get(), IORING_REGISTER_PROBE, probe, 0) < 0) throw_errno("io_uring_register", "");
}

void UringRing::map(const io_uring_params& made) {
  const auto& sq = made.sq_off;
  const auto& cq = made.cq_off;
  const std::size_t sq_bytes = sq.array + made.sq_entries * sizeof(std::uint32_t);
  const std::size_t cq_bytes = cq.cqes + made.cq_entries * sizeof(io_uring_cqe);
  queues_.map(fd_.get(), sq_bytes > cq_bytes ? sq_bytes : cq_bytes, IORING_OFF_SQ_RING);
  entries_.map(fd_.get(), made.sq_entries * sizeof(io_uring_sqe), IORING_OFF_SQES);
  auto* const base = static_cast<std::byte*>(queues_.base);
  submissions_ = static_cast<io_uring_sqe*>(entries_.base);
  completions_ = reinterpret_cast<io_uring_cqe*>(base + cq.cqes);
  sq_head_.at(base, sq.head);
  sq_shared_tail_.at(base, sq.tail);
  sq_flags_.at(base, sq.flags);
  cq_head_.at(base, cq.head);
  cq_tail_.at(base, cq.tail);
  sq_entries_ = made.sq_entries;
  sq_mask_ = made.sq_entries - 1;
  cq_mask_ = made.cq_entries - 1;
  // Submissions are always handed over in the order of the array: each place of the queue stands for itself.
  auto* const order = reinterpret_cast<std::uint32_t*>(base + sq.array);
  for (std::uint32_t i = 0; i < made.sq_entries; ++i) order[i] = i;
}

void UringRing::begin() {
  if (thread_ == 0 && sys::io_uring_register(fd_.get(), IORING_REGISTER_ENABLE_RINGS, nullptr, 0) < 0) {
    throw_errno("io_uring_register", "enable");
  }
  thread_ = this_thread();
  enter_fd_ = fd_.get();
  // Spares each call the look-up of the descriptor. There is room for sixteen a thread; without it goes as well.
  io_uring_rsrc_update place{};
  place.offset = ~0U;
  place.data = static_cast<std::uint64_t>(fd_.get());
  registered_ = sys::io_uring_register(fd_.get(), IORING_REGISTER_RING_FDS, &place, 1) == 1;
  if (!registered_) return;
  enter_fd_ = static_cast<int>(place.offset);
  enter_flags_ |= IORING_ENTER_REGISTERED_RING;
}

void UringRing::end() noexcept {
  if (!registered_ || !ours()) return;
  io_uring_rsrc_update place{};
  place.offset = static_cast<std::uint32_t>(enter_fd_);
  sys::io_uring_register(fd_.get(), IORING_UNREGISTER_RING_FDS, &place, 1);
  registered_ = false;
  enter_fd_ = fd_.get();
  enter_flags_ &= ~std::uint32_t{IORING_ENTER_REGISTERED_RING};
}

bool UringRing::ours() const noexcept { return thread_ == this_thread(); }

bool UringRing::idle() const noexcept {
  return sq_tail_ == sq_head_.load(std::memory_order_relaxed) && !has_completions() &&
         !(sq_flags_.load(std::memory_order_relaxed) & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW));
}

std::uint32_t UringRing::unsubmitted() const noexcept { return sq_tail_ - sq_head_.load(std::memory_order_acquire); }

unsigned UringRing::enter(Timeout timeout) {
  unsigned calls = 1;
  sq_shared_tail_.store(sq_tail_, std::memory_order_release);
  int error = call_enter(unsubmitted(), timeout);
  if (error == EAGAIN || error == EBUSY) {  // no memory for a request, or too many completions wait to be taken
    ++calls;
    error = call_enter(0, timeout ? std::min(*timeout, kOutOfMemoryPause) : kOutOfMemoryPause);
  }
  if (error == EAGAIN || error == EBUSY) return calls;  // it stays so: the next turn tries again
  if (error && error != ETIME && error != EINTR) throw SystemError(error, "io_uring_enter", "");
  return calls;
}

bool UringRing::submit() noexcept {
  sq_shared_tail_.store(sq_tail_, std::memory_order_release);
  const std::uint32_t count = unsubmitted();
  const std::uint32_t flags = enter_flags_ & IORING_ENTER_REGISTERED_RING;
  return sys::io_uring_enter(enter_fd_, count, 0, flags, nullptr, 0) == static_cast<int>(count);
}

int UringRing::call_enter(std::uint32_t count, Timeout timeout) noexcept {
  __kernel_timespec relative{};
  io_uring_getevents_arg argument{};
  argument.sigmask_sz = _NSIG / 8;
  std::uint32_t least = 1;
  if (timeout && *timeout == Duration::zero()) {
    least = 0;
  } else if (timeout) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(*timeout);
    relative = {.tv_sec = seconds.count(), .tv_nsec = (*timeout - seconds).count()};
    argument.ts = reinterpret_cast<std::uint64_t>(&relative);
  }
  return sys::io_uring_enter(enter_fd_, count, least, enter_flags_, &argument, sizeof argument) < 0 ? errno : 0;
}

}  // namespace hawser::detail
