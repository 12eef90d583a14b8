// Load for UDP servers that send back what they get: keeps some datagrams in flight, in batches, and checks every
// answer. Prints one line of JSON: answers a second, the server's microseconds of CPU for each, datagrams lost in a
// hundred.
//
//   bench_datagram_load PORT [--size 64] [--flight 64] [--ms 1000] [--pid SERVER]
#include <arpa/inet.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "../arguments.h"
#include "latency.h"
#include "server_process.h"

namespace {

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "%s: %s\n", what.c_str(), std::strerror(errno));
  std::exit(1);
}

class Flight {
 public:
  Flight(int port, std::size_t size, std::size_t most)
      : most_(most), template_(size, '\0'), memory_(most * size), pieces_(most), messages_(most) {
    for (std::size_t i = 0; i < size; ++i) template_[i] = static_cast<char>(i * 37 + 11);
    fd_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in server{};
    server.sin_family = AF_INET;
    server.sin_port = htons(static_cast<in_port_t>(port));
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd_, reinterpret_cast<sockaddr*>(&server), sizeof server) != 0) fail("connect");
    const timeval patience{0, 50'000};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    for (std::size_t i = 0; i < most; ++i) {
      pieces_[i] = {memory_.data() + i * size, size};
      messages_[i].msg_hdr.msg_iov = &pieces_[i];
      messages_[i].msg_hdr.msg_iovlen = 1;
    }
  }

  // Sends until `most` are on their way, takes what has come back.
  void turn() {
    fill();
    const int got = ::recvmmsg(fd_, messages_.data(), static_cast<unsigned>(most_), MSG_WAITFORONE, nullptr);
    if (got < 0) {
      if (errno != EAGAIN) fail("recvmmsg");
      lost_ += flying_;  // nobody has said anything for long: these do not come any more
      flying_ = 0;
      if (++silences_ > 100) fail("no answer");
      return;
    }
    for (int i = 0; i < got; ++i) check(static_cast<std::size_t>(i));
    flying_ -= std::min(flying_, static_cast<std::size_t>(got));
    answers_ += static_cast<std::uint64_t>(got);
  }

  [[nodiscard]] std::uint64_t answers() const { return answers_; }
  [[nodiscard]] std::uint64_t lost() const { return lost_; }

 private:
  void fill() {
    const std::size_t count = most_ - flying_;
    for (std::size_t i = 0; i < count; ++i) {
      auto* bytes = static_cast<char*>(pieces_[i].iov_base);
      std::memcpy(bytes, template_.data(), template_.size());
      std::memcpy(bytes, &number_, sizeof number_);
      ++number_;
    }
    for (std::size_t sent = 0; sent < count;) {
      const int n = ::sendmmsg(fd_, messages_.data() + sent, static_cast<unsigned>(count - sent), 0);
      if (n < 0) fail("sendmmsg");
      sent += static_cast<std::size_t>(n);
    }
    flying_ += count;
  }

  void check(std::size_t i) const {
    const auto* bytes = static_cast<const char*>(pieces_[i].iov_base);
    std::uint64_t number = 0;
    std::memcpy(&number, bytes, sizeof number);
    const bool same =
        messages_[i].msg_len == template_.size() && number < number_ &&
        std::memcmp(bytes + sizeof number, template_.data() + sizeof number, template_.size() - sizeof number) == 0;
    if (same) return;
    std::fprintf(stderr, "a wrong datagram came back\n");
    std::exit(1);
  }

  int fd_ = -1;
  std::size_t most_;
  std::string template_;
  std::vector<char> memory_;
  std::vector<iovec> pieces_;
  std::vector<mmsghdr> messages_;
  std::uint64_t number_ = 0;
  std::size_t flying_ = 0;
  std::uint64_t answers_ = 0;
  std::uint64_t lost_ = 0;
  int silences_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const Arguments arguments(argc, argv, "bench_datagram_load PORT [--size 64] [--flight 64] [--ms 1000] [--pid SERVER]",
                            {"size", "flight", "ms", "pid"});
  const auto size = static_cast<std::size_t>(arguments.number("size", 64));
  if (size < sizeof(std::uint64_t)) arguments.fail("a datagram must have room for its number, 8 bytes");
  Flight flight(static_cast<int>(arguments.number_at(0)), size,
                static_cast<std::size_t>(arguments.number("flight", 64)));
  const ServerProcess server(arguments.number("pid", 0));
  const auto window = static_cast<std::uint64_t>(arguments.number("ms", 1000)) * 1'000'000;
  const auto fly_until = [&](std::uint64_t end) {
    while (now_ns() < end) flight.turn();
  };
  fly_until(now_ns() + window / 5);
  const std::uint64_t begin = now_ns(), answers = flight.answers(), lost = flight.lost();
  const double used = server.cpu_seconds();
  do fly_until(now_ns() + window);
  while (flight.answers() == answers);
  const double seconds = static_cast<double>(now_ns() - begin) / 1e9;
  const auto done = static_cast<double>(flight.answers() - answers);
  const auto gone = static_cast<double>(flight.lost() - lost);
  std::printf("{\"per_s\": %.0f, \"server_us\": %.3f, \"lost_percent\": %.3f}\n", done / seconds,
              (server.cpu_seconds() - used) / done * 1e6, gone / (done + gone) * 100);
}
