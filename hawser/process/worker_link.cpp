#include <hawser/process/worker_link.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <new>
#include <utility>

#include <hawser/base/errors.h>
#include <hawser/base/system_calls.h>
#include <hawser/process/fresh_program.h>

namespace hawser::detail {
namespace {

constexpr int kSendBuffer = 1 << 20;  // or as much as the system allows
constexpr std::size_t kKept = std::size_t{256} << 10;
constexpr std::uint64_t kWorkAhead = 200'000;  // nanoseconds
constexpr std::uint64_t kMostAhead = 64;

}  // namespace

WorkerLink::WorkerLink(const std::string& name, std::uint32_t limit, const std::string& initializer) : limit_(limit) {
  int ends[2];
  if (sys::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) throw_errno("socketpair", "");
  socket_.reset(ends[0]);
  for (const int end : ends) ::setsockopt(end, SOL_SOCKET, SO_SNDBUF, &kSendBuffer, sizeof kSendBuffer);
  const UniqueFd theirs(ends[1]);
  const UniqueFd page(sys::memfd_create("hawser worker", MFD_CLOEXEC));
  if (!page) throw_errno("memfd_create", "");
  if (::ftruncate(page.get(), sizeof(WorkerPage)) != 0) throw_errno("ftruncate", "the page of a worker");
  std::string message;
  append_bytes(message,
               WorkerStart{.socket = theirs.get(), .page = page.get(), .limit = limit, .initializer = initializer});
  auto child = start_afresh(&run_worker, message, {.name = name, .keep_fds = {theirs.get(), page.get()}});
  process_.emplace(child.pid, std::move(child.pidfd), name);
  void* const memory = sys::mmap(nullptr, sizeof(WorkerPage), PROT_READ | PROT_WRITE, MAP_SHARED, page.get(), 0);
  if (memory == MAP_FAILED) {
    const int error = errno;
    process_->stop(Duration::zero());
    throw SystemError(error, "mmap", "the page of a worker");
  }
  page_ = static_cast<WorkerPage*>(memory);
}

WorkerLink::~WorkerLink() {
  if (process_ && !process_->poll()) process_->stop(Duration::zero());
  if (page_) ::munmap(page_, sizeof(WorkerPage));
}

std::size_t WorkerLink::window() const noexcept {
  if (nanoseconds_ == 0) return 1;
  return static_cast<std::size_t>(std::clamp<std::uint64_t>(kWorkAhead / nanoseconds_, 1, kMostAhead));
}

void WorkerLink::give(std::unique_ptr<PoolTask> task) {
  if (std::exchange(taken_back_, false)) out_.append(sizeof(PoolTask::Length), '\0');
  if (in_flight_.empty()) last_answer_ = Clock::now();
  out_ += task->message;
  in_flight_.push_back(std::move(task));
}

// What can't be sent is found out about by listen().
void WorkerLink::flush() {
  while (unsent_ < out_.size()) {
    const ssize_t put =
        sys::send(socket_.get(), out_.data() + unsent_, out_.size() - unsent_, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return;
    unsent_ += static_cast<std::size_t>(put);
  }
  out_.clear();
  unsent_ = 0;
  if (out_.capacity() > kKept) out_.shrink_to_fit();
}

WorkerLink::Heard WorkerLink::listen(std::vector<Outcome>& outcomes) {
  if (deaf_) return Heard::end;
  for (;;) {
    const auto room = in_.room();
    const ssize_t got = sys::recv(socket_.get(), room.data(), room.size(), MSG_DONTWAIT);
    const int error = errno;
    in_.received(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0 && error == EINTR) continue;
    if (got < 0 && error == EAGAIN) return Heard::nothing;
    return got > 0 && understand(outcomes) ? Heard::something : Heard::end;
  }
}

void WorkerLink::turn_deaf() {
  deaf_ = true;
  if (state_ == State::retiring && in_flight_.empty()) return;
  try {
    process_->send_signal(SIGKILL);
  } catch (const SystemError&) {
    // It runs as somebody else now; its own end is waited for.
  }
}

bool WorkerLink::understand(std::vector<Outcome>& outcomes) {
  for (;;) {
    const BytesView there = in_.there();
    WorkerFrame frame;
    if (there.size() < sizeof frame) return true;
    std::memcpy(&frame, there.data(), sizeof frame);
    if (frame.length > std::max(limit_, kMostOfFailure)) return false;
    if (there.size() - sizeof frame < frame.length) return true;
    const bool sense = answer(frame, there.from(sizeof frame).first(frame.length), outcomes);
    in_.use(sizeof frame + frame.length);
    if (!sense) return false;
  }
}

bool WorkerLink::answer(const WorkerFrame& frame, BytesView bytes, std::vector<Outcome>& outcomes) {
  try {
    switch (frame.says) {
      case WorkerSays::ready:
        if (state_ == State::starting) state_ = State::ready;
        return true;
      case WorkerSays::broken:
        broken_ = from_bytes<RemoteFailure>(bytes);
        return true;
      case WorkerSays::value:
      case WorkerSays::failure:
        break;
    }
    if (in_flight_.empty() || frame.says > WorkerSays::failure) return false;
    Outcome outcome{.task = std::move(in_flight_.front())};
    in_flight_.pop_front();
    ++answered_;
    last_answer_ = Clock::now();
    nanoseconds_ =
        std::max<std::uint64_t>(1, nanoseconds_ == 0 ? frame.nanoseconds : (3 * nanoseconds_ + frame.nanoseconds) / 4);
    if (frame.says == WorkerSays::failure) {
      outcome.error = from_bytes<RemoteFailure>(bytes).error();
    } else {
      outcome.result = std::string(bytes.text());
    }
    outcomes.push_back(std::move(outcome));
    return true;
  } catch (const SerialiseError&) {
    return false;
  }
}

std::vector<std::unique_ptr<PoolTask>> WorkerLink::take_back() {
  std::vector<std::unique_ptr<PoolTask>> tasks;
  if (taken_back_ || has_unsent()) return tasks;
  if (page_->begun.load() / WorkerPage::kTakenBack >= WorkerPage::kMostTakenBack) return tasks;
  const std::uint64_t begun = page_->begun.fetch_add(WorkerPage::kTakenBack) % WorkerPage::kTakenBack;
  taken_back_ = true;
  while (answered_ + in_flight_.size() > begun) {
    tasks.push_back(std::move(in_flight_.back()));
    in_flight_.pop_back();
  }
  std::reverse(tasks.begin(), tasks.end());
  return tasks;
}

void WorkerLink::retire() {
  state_ = State::retiring;
  if (!has_unsent()) ::shutdown(socket_.get(), SHUT_WR);
}

std::unique_ptr<PoolTask> WorkerLink::bury(std::vector<std::unique_ptr<PoolTask>>& not_begun) {
  state_ = State::gone;
  const std::uint64_t begun = page_->begun.load() % WorkerPage::kTakenBack;
  std::unique_ptr<PoolTask> ran;
  if (begun > answered_ && !in_flight_.empty()) {
    ran = std::move(in_flight_.front());
    in_flight_.pop_front();
  }
  for (auto& task : in_flight_) not_begun.push_back(std::move(task));
  in_flight_.clear();
  return ran;
}

}  // namespace hawser::detail
