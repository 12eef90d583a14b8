#include <hawser/net/connect_race.h>

#include <algorithm>
#include <deque>

#include <hawser/net/selector.h>

namespace hawser::detail {
namespace {

std::string reason(int error_number) { return std::system_category().message(error_number); }

// Addresses not yet tried, the families in turn (RFC 8305, section 4).
class Waiting {
 public:
  explicit Waiting(bool v6_first) : v6_next_(v6_first) {}
  void add(std::span<const Address> addresses) {
    for (const Address& address : addresses) (address.is_ipv6() ? v6_ : others_).push_back(address);
  }
  [[nodiscard]] bool empty() const { return v6_.empty() && others_.empty(); }
  [[nodiscard]] bool has_v6() const { return !v6_.empty(); }
  Address next() {
    auto& from = (v6_next_ && !v6_.empty()) || others_.empty() ? v6_ : others_;
    v6_next_ = &from != &v6_;
    const Address address = from.front();
    from.pop_front();
    return address;
  }

 private:
  std::deque<Address> v6_, others_;
  bool v6_next_;
};

class Race {
 public:
  Race(AddressFeed& feed, const std::string& endpoint, const ConnectOptions& options, Expiry expiry)
      : feed_(feed), endpoint_(endpoint), options_(options), expiry_(expiry), waiting_(feed.begins_with_v6()) {
    feed_.begin([this] { selector_.wake(); });
  }
  Race(const Race&) = delete;
  Race& operator=(const Race&) = delete;
  ~Race() { feed_.end(); }

  Socket run() {
    for (;;) {
      waiting_.add(feed_.take());
      while (!waiting_.empty() && may_start()) {
        if (start(waiting_.next())) return std::move(racers_.back().socket);
      }
      if (racers_.empty() && waiting_.empty() && complete()) give_up();
      if (expiry_.passed()) time_out();
      for (const auto& [key, events] : selector_.select(std::min(expiry_, next_step()).left())) {
        const auto racer = std::ranges::find(racers_, key->fd, [](const Racer& r) { return r.socket.fileno(); });
        if (racer != racers_.end() && arrived(*racer)) return std::move(racer->socket);
      }
    }
  }

 private:
  struct Racer {
    Address address;
    Socket socket;
  };

  [[nodiscard]] bool complete() const { return feed_.is_complete(IpFamily::v4) && feed_.is_complete(IpFamily::v6); }

  // IPv4 alone holds back for a moment, in case IPv6 is about to be known.
  bool may_start() {
    if (!racers_.empty() || !failed_.empty()) return racers_.empty() || next_start_.passed();
    if (waiting_.has_v6() || feed_.is_complete(IpFamily::v6)) return true;
    if (!held_back_) held_back_ = Expiry::in(options_.resolution_delay);
    return held_back_->passed();
  }

  // When something must be done although nothing has happened.
  [[nodiscard]] Expiry next_step() const {
    if (waiting_.empty()) return Expiry::never();
    return racers_.empty() && held_back_ ? *held_back_ : next_start_;
  }

  // True when it was connected at once, and is the last of the racers.
  bool start(const Address& address) {
    try {
      Socket socket(address.family());
      if (address.is_ip() && options_.no_delay) socket.set_no_delay(true);
      if (options_.source) {
        // Several attempts have it at once: to different places that is allowed, when all of them say so.
        if (options_.source->port() != 0) socket.set(option::reuse_address, true);
        socket.bind(*options_.source);
      }
      socket.set_blocking(false);
      racers_.push_back({.address = address, .socket = std::move(socket)});
    } catch (const SystemError& error) {
      failed_.push_back({.address = address, .error_number = error.error_number()});
      return false;
    }
    Racer& racer = racers_.back();
    selector_.register_fd(racer.socket, Events::write);
    next_start_ = Expiry::in(options_.attempt_delay);
    return arrived(racer);
  }

  // Asks how the attempt stands. True when it is won; one that is lost leaves the race.
  bool arrived(Racer& racer) {
    int error = racer.socket.connect_ex(racer.address);
    if (error == EINPROGRESS) return false;
    if (error == 0 && leads_to_itself(racer.socket, racer.address)) error = ECONNREFUSED;
    selector_.unregister(racer.socket);
    if (error == 0) {
      racer.socket.set_timeout(std::nullopt);
      return true;
    }
    failed_.push_back({.address = racer.address, .error_number = error});
    std::erase_if(racers_, [&racer](const Racer& each) { return &each == &racer; });
    next_start_ = Expiry::in(Duration::zero());
    return false;
  }

  [[noreturn]] void give_up() const {
    if (failed_.empty()) feed_.fail();
    if (failed_.size() == 1) throw SystemError(failed_[0].error_number, "connect", failed_[0].address.str());
    throw ConnectError(endpoint_, failed_);
  }

  [[noreturn]] void time_out() const {
    if (racers_.empty() && failed_.empty() && waiting_.empty()) {
      throw SocketTimeout("resolve " + endpoint_ + ": timed out");
    }
    std::string text = "connect " + endpoint_ + ": timed out";
    const char* mark = " (";
    for (const auto& [address, error] : failed_) {
      text += std::exchange(mark, "; ") + address.str() + ": " + reason(error);
    }
    for (const Racer& racer : racers_) text += std::exchange(mark, "; ") + racer.address.str() + " did not answer";
    throw SocketTimeout(text + (mark[1] == '(' ? "" : ")"));
  }

  AddressFeed& feed_;
  const std::string& endpoint_;
  const ConnectOptions& options_;
  const Expiry expiry_;
  Selector selector_;
  Waiting waiting_;
  std::vector<Racer> racers_;
  std::vector<ConnectError::Attempt> failed_;
  Expiry next_start_;
  std::optional<Expiry> held_back_;
};

}  // namespace

Socket race(AddressFeed& feed, const std::string& endpoint, const ConnectOptions& options, Expiry expiry) {
  return Race(feed, endpoint, options, expiry).run();
}

}  // namespace hawser::detail
