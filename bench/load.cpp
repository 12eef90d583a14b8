// Load for echo servers, on plain epoll: keeps DEPTH messages in flight on each of CONNS connections and checks every
// byte that comes back. Prints messages per second and, given the server's process, its microseconds of CPU for each.
//
//   bench_load PORT [--conns 64] [--size 64] [--depth 1] [--ms 1000] [--frames 1] [--pid SERVER]
//
// With --frames 1 a message is a frame: 4-byte length, {"size":N}, N bytes; the answer's header may be any.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <sstream>
#include <vector>

#include "arguments.h"
#include "stopwatch.h"

namespace {

[[noreturn]] void die(const std::string& what) {
  std::fprintf(stderr, "%s: %s\n", what.c_str(), std::strerror(errno));
  std::exit(1);
}

// Ticks of the kernel's clock (hundredths of a second) that the process has used, user and system.
double cpu_seconds(long pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(file, line);
  std::istringstream rest(line.substr(line.rfind(')') + 2));
  std::string skipped;
  for (int i = 0; i < 11; ++i) rest >> skipped;
  long user = 0, system = 0;
  rest >> user >> system;
  return static_cast<double>(user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

class Connection {
 public:
  Connection(int port, const std::string& message, const std::string& body, bool frames)
      : message_(message), body_(body), frames_(frames), expects_(frames ? Expects::length : Expects::body) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) die("connect");
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::fcntl(fd_, F_SETFL, O_NONBLOCK);
  }
  [[nodiscard]] int fd() const { return fd_; }

  void send_message() {
    for (std::size_t at = 0; at < message_.size();) {
      const ssize_t n = ::send(fd_, message_.data() + at, message_.size() - at, MSG_NOSIGNAL);
      if (n > 0)
        at += static_cast<std::size_t>(n);
      else if (errno == EAGAIN)
        receive(nullptr);  // a message larger than the socket's buffers: its answer is under way already
      else
        die("send");
    }
  }

  // Takes what has arrived; each whole answer is counted.
  void receive(long* answers) {
    static char buffer[256 * 1024];
    const ssize_t n = ::recv(fd_, buffer, sizeof buffer, 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) die("recv");
    const char* p = buffer;
    std::size_t left = static_cast<std::size_t>(n);
    while (left) {
      const std::size_t used = expects_ == Expects::body ? take_body(p, left) : take_header(p, left);
      p += used;
      left -= used;
    }
    if (answers) {
      *answers += finished_;
      for (; finished_; --finished_) send_message();
    }
  }

 private:
  enum class Expects { length, header, body };

  std::size_t take_header(const char* p, std::size_t left) {
    if (expects_ == Expects::header) {
      const std::size_t used = std::min(left, header_left_);
      header_left_ -= used;
      if (header_left_ == 0) expects_ = Expects::body;
      return used;
    }
    header_left_ |= static_cast<std::size_t>(static_cast<unsigned char>(*p)) << (8 * length_have_);
    if (++length_have_ == 4) expects_ = Expects::header;
    return 1;
  }

  std::size_t take_body(const char* p, std::size_t left) {
    const std::size_t used = std::min(left, body_.size() - at_);
    if (std::memcmp(p, body_.data() + at_, used) != 0) {
      std::fprintf(stderr, "a wrong byte came back\n");
      std::exit(1);
    }
    at_ += used;
    if (at_ == body_.size()) {
      at_ = length_have_ = header_left_ = 0;
      if (frames_) expects_ = Expects::length;
      ++finished_;
    }
    return used;
  }

  int fd_ = -1;
  const std::string& message_;
  const std::string& body_;
  bool frames_;
  std::size_t at_ = 0;
  std::size_t length_have_ = 0;
  std::size_t header_left_ = 0;
  Expects expects_;
  long finished_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const Arguments arguments(
      argc, argv, "bench_load PORT [--conns 64] [--size 64] [--depth 1] [--ms 1000] [--frames 1] [--pid SERVER]",
      {"conns", "size", "depth", "ms", "frames", "pid"});
  const bool frames = arguments.number("frames", 0) != 0;
  std::string body(static_cast<std::size_t>(arguments.number("size", 64)), '\0');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>('a' + i % 23);
  std::string message = body;
  if (frames) {
    const std::string header = "{\"size\":" + std::to_string(body.size()) + "}";
    const auto length = static_cast<std::uint32_t>(header.size());
    message = std::string(reinterpret_cast<const char*>(&length), 4) + header + body;
  }
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  std::vector<Connection> connections;
  connections.reserve(static_cast<std::size_t>(arguments.number("conns", 64)));
  for (long i = 0; i < arguments.number("conns", 64); ++i) {
    connections.emplace_back(static_cast<int>(arguments.number_at(0)), message, body, frames);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u32 = static_cast<std::uint32_t>(i);
    ::epoll_ctl(epoll, EPOLL_CTL_ADD, connections.back().fd(), &event);
  }
  for (Connection& connection : connections)
    for (long i = 0; i < arguments.number("depth", 1); ++i) connection.send_message();

  const long pid = arguments.number("pid", 0);
  const double length = static_cast<double>(arguments.number("ms", 1000)) / 1000;
  const auto serve_for = [&](double seconds) {
    long answers = 0;
    const Stopwatch watch;
    epoll_event events[256];
    while (watch.seconds() < seconds) {
      const int count = ::epoll_wait(epoll, events, 256, 5000);
      if (count == 0) {
        std::fprintf(stderr, "no answer for 5 seconds\n");
        std::exit(1);
      }
      for (int i = 0; i < count; ++i) connections[events[i].data.u32].receive(&answers);
    }
    return static_cast<double>(answers) / watch.seconds();
  };
  serve_for(length / 5);
  const double before = pid ? cpu_seconds(pid) : 0;
  const double rate = serve_for(length);
  const double used = pid ? cpu_seconds(pid) - before : 0;
  std::printf("%.0f %.2f\n", rate, used / length / rate * 1e6);
}
