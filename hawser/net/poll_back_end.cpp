// poll(2) and select(2): the set is handed over with each look.
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <unordered_map>

#include <hawser/base/errors.h>
#include <hawser/base/fd.h>
#include <hawser/base/system_calls.h>
#include <hawser/fiber/deadline.h>
#include <hawser/fiber/pollable.h>
#include <hawser/fiber/run.h>
#include <hawser/net/selector_back_end.h>

namespace hawser::detail {
namespace {

const std::string kName = "selector";

short bits(Events events) {
  short bits = 0;
  if (has(events, Events::read)) bits |= POLLIN | POLLRDHUP;
  if (has(events, Events::write)) bits |= POLLOUT;
  if (has(events, Events::urgent)) bits |= POLLPRI;
  return bits;
}

Events events(short bits) {
  if (bits & (POLLERR | POLLHUP)) return Events::read | Events::write | Events::urgent;
  Events set = Events::none;
  if (bits & (POLLIN | POLLRDHUP)) set = set | Events::read;
  if (bits & POLLOUT) set = set | Events::write;
  if (bits & POLLPRI) set = set | Events::urgent;
  return set;
}

// Which file a descriptor stands for, since numbers are given again to others.
struct File {
  // Throws SystemError when nothing has that number.
  File(int fd, const char* operation) {
    struct stat about {};
    if (::fstat(fd, &about) < 0) throw_errno(operation, "descriptor " + std::to_string(fd));
    device = about.st_dev;
    inode = about.st_ino;
  }
  [[nodiscard]] bool is_still(int fd) const noexcept {
    struct stat about {};
    return ::fstat(fd, &about) == 0 && about.st_dev == device && about.st_ino == inode;
  }
  friend bool operator==(const File&, const File&) = default;

  dev_t device;
  ino_t inode;
};

class PollBackEnd : public SelectorBackEnd {
 public:
  PollBackEnd(int bell, std::mutex& lock) : bell_(bell), lock_(lock) {}

  void add(const Interest& interest) override {
    const File file(interest.fd, "register_fd");
    places_.emplace(interest.fd, set_.size());
    set_.push_back({.fd = interest.fd, .events = bits(interest.events), .revents = 0});
    registered_.push_back({.generation = interest.generation, .file = file});
  }

  void modify(const Interest& interest) override {
    const std::size_t place = places_.at(interest.fd);
    const File file(interest.fd, "modify");
    if (!(file == registered_[place].file)) {  // as epoll(7) has it
      throw SystemError(ENOENT, "modify", "descriptor " + std::to_string(interest.fd));
    }
    set_[place] = {.fd = interest.fd, .events = bits(interest.events), .revents = 0};
  }

  void remove(int fd) noexcept override {
    const auto found = places_.find(fd);
    const std::size_t place = found->second, last = set_.size() - 1;
    places_.erase(found);
    if (place != last) {
      set_[place] = set_[last];
      registered_[place] = registered_[last];
      places_.at(std::max(set_[place].fd, ~set_[place].fd)) = place;
    }
    set_.pop_back();
    registered_.pop_back();
  }

  // poll(2) passes over what is negative, errors and hang-ups too.
  void disarm(int fd) noexcept override { set_[places_.at(fd)].fd = ~fd; }

  void look(std::vector<Fired>& fired) override {
    ask(set_);
    for (std::size_t i = 0; i < set_.size(); ++i) {
      pollfd& one = set_[i];
      if (one.fd < 0 || one.revents == 0) continue;
      if (one.revents & POLLNVAL || !registered_[i].file.is_still(one.fd)) {  // closed: watched no more
        one.fd = ~one.fd;
        continue;
      }
      fired.push_back({.fd = one.fd, .generation = registered_[i].generation, .events = events(one.revents)});
    }
  }

  void renew(const std::vector<Interest>&) override {}  // what is not in the set is not asked for

  Wake wait(Expiry expiry) override {
    std::vector<pollfd> copy;
    {
      const std::lock_guard hold(lock_);
      copy.reserve(set_.size() + 1);
      std::ranges::copy_if(set_, std::back_inserter(copy), [](const pollfd& one) { return one.fd >= 0; });
    }
    copy.push_back({.fd = bell_, .events = POLLIN, .revents = 0});
    return in_fiber() ? park(copy, expiry) : block(copy, expiry);
  }
  [[nodiscard]] bool waits_for_a_copy() const noexcept override { return true; }

 protected:
  // Sets revents as poll(2) does, without waiting. What is negative may be left as it is.
  virtual void ask(std::vector<pollfd>& set) {
    int count;
    do {
      count = sys::poll(set.data(), set.size(), 0);
    } while (count < 0 && errno == EINTR);
    if (count < 0) throw_errno("poll", kName);
  }

 private:
  // A fiber can't sleep in poll(2) but in its loop, which takes one descriptor for all.
  static Wake park(const std::vector<pollfd>& set, Expiry expiry) {
    UniqueFd fd(sys::epoll_create1(EPOLL_CLOEXEC));
    if (!fd) throw_errno("epoll_create1", kName);
    Pollable all(std::move(fd));
    for (const pollfd& one : set) {
      epoll_event event{.events = static_cast<std::uint32_t>(one.events), .data = {}};
      // A regular file (EPERM) is always ready and has been seen; one closed meanwhile (EBADF) is the next look's.
      if (sys::epoll_ctl(all.fd(), EPOLL_CTL_ADD, one.fd, &event) < 0 && errno != EPERM && errno != EBADF) {
        throw_errno("epoll_ctl", kName);
      }
    }
    Pollable::Use use(all, Direction::read, "select", kName);
    return use.wait(expiry);
  }

  // By poll(2) for select(2) too: the bell's number may be beyond an fd_set.
  static Wake block(std::vector<pollfd>& set, Expiry expiry) {
    const Expiry deadline = Deadline::current();
    for (;;) {
      const Timeout left = std::min(expiry, deadline).left();
      timespec time{};
      if (left) {
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(*left);
        time = {.tv_sec = static_cast<time_t>(seconds.count()),
                .tv_nsec = static_cast<long>((*left - seconds).count())};
      }
      const int count = sys::ppoll(set.data(), set.size(), left ? &time : nullptr, nullptr);
      if (count > 0) return Wake::ready;
      if (count < 0 && errno != EINTR) throw_errno("poll", kName);
      if (expiry.passed()) return Wake::expired;
      if (deadline.passed()) return Wake::deadline;
    }
  }

  const int bell_;
  std::mutex& lock_;
  std::vector<pollfd> set_;
  struct Registered {
    std::uint32_t generation;
    File file;
  };
  std::vector<Registered> registered_;           // as set_
  std::unordered_map<int, std::size_t> places_;  // in set_
};

class SelectBackEnd final : public PollBackEnd {
 public:
  using PollBackEnd::PollBackEnd;

 private:
  void ask(std::vector<pollfd>& set) override {
    for (;;) {
      fd_set read, write, except;
      FD_ZERO(&read);
      FD_ZERO(&write);
      FD_ZERO(&except);
      int highest = -1;
      for (pollfd& one : set) {
        one.revents = 0;
        if (one.fd < 0) continue;
        highest = std::max(highest, one.fd);
        if (one.events & POLLIN) FD_SET(one.fd, &read);
        if (one.events & POLLOUT) FD_SET(one.fd, &write);
        if (one.events & POLLPRI) FD_SET(one.fd, &except);
      }
      timeval none{};
      const int count = sys::select(highest + 1, &read, &write, &except, &none);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0 && errno != EBADF) throw_errno("select", kName);
      for (pollfd& one : set) {
        if (one.fd < 0) continue;
        if (count < 0) {  // select(2) does not say which one was closed
          if (::fcntl(one.fd, F_GETFD) < 0) one.fd = ~one.fd;
          continue;
        }
        if (FD_ISSET(one.fd, &read)) one.revents |= POLLIN;
        if (FD_ISSET(one.fd, &write)) one.revents |= POLLOUT;
        if (FD_ISSET(one.fd, &except)) one.revents |= POLLPRI;
      }
      if (count >= 0) return;
    }
  }
};

}  // namespace

std::unique_ptr<SelectorBackEnd> make_poll_back_end(int bell, std::mutex& lock) {
  return std::make_unique<PollBackEnd>(bell, lock);
}
std::unique_ptr<SelectorBackEnd> make_select_back_end(int bell, std::mutex& lock) {
  return std::make_unique<SelectBackEnd>(bell, lock);
}

}  // namespace hawser::detail
