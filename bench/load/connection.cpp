#include "connection.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

void fail(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  std::exit(1);
}

void fail_with_errno(const std::string& what) { fail(what + ": " + std::strerror(errno)); }

Connection::Connection(Load& load, int port, std::uint64_t number, bool spread)
    : load_(&load), number_(number), begun_at_(load.depth) {
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd_ < 0) fail_with_errno("socket");
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  if (spread) {
    ::setsockopt(fd_, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + static_cast<std::uint32_t>(number % 250));
    if (::bind(fd_, generic, sizeof address) != 0) fail_with_errno("bind");
  }
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  if (::connect(fd_, generic, sizeof address) != 0) fail_with_errno("connect");
}

Connection::Connection(Connection&& other) noexcept { *this = std::move(other); }

Connection& Connection::operator=(Connection&& other) noexcept {
  load_ = other.load_;
  number_ = other.number_;
  std::swap(fd_, other.fd_);
  sent_ = other.sent_;
  received_ = other.received_;
  begun_ = other.begun_;
  answered_ = other.answered_;
  begun_at_ = std::move(other.begun_at_);
  header_ = std::move(other.header_);
  body_at_ = other.body_at_;
  in_body_ = other.in_body_;
  return *this;
}

Connection::~Connection() {
  if (fd_ >= 0) ::close(fd_);
}

void Connection::send() {
  const std::uint64_t until = std::min(load_->most, answered_ + load_->depth);
  if (begun_ < until) {
    const std::uint64_t now = now_ns();
    for (; begun_ < until; ++begun_) begun_at_[begun_ % load_->depth] = now;
  }
  for (std::uint64_t left; (left = begun_ * load_->script.message() - sent_) > 0;) {
    const std::size_t size = std::min<std::uint64_t>(left, Script::kChunk);
    const ssize_t sent = ::send(fd_, load_->script.at(number_, sent_), size, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
      if (errno == EAGAIN) return;  // goes on when the socket has room, or with the next answer
      fail_with_errno("send");
    }
    sent_ += static_cast<std::uint64_t>(sent);
  }
}

void Connection::receive() {
  std::vector<char>& inbox = load_->inbox;
  for (std::size_t got = inbox.size(); got == inbox.size();) {
    const ssize_t n = ::recv(fd_, inbox.data(), inbox.size(), MSG_DONTWAIT);
    if (n == 0) fail("the server closed a connection");
    if (n < 0) {
      if (errno == EAGAIN) return;
      fail_with_errno("recv");
    }
    got = static_cast<std::size_t>(n);
    load_->script.frames() ? take_frames(inbox.data(), got) : take_bytes(inbox.data(), got);
  }
}

void Connection::take_bytes(const char* bytes, std::size_t size) {
  if (received_ + size > sent_) fail("an answer to what was not asked");
  if (std::memcmp(bytes, load_->script.at(number_, received_), size) != 0) fail("a wrong byte came back");
  received_ += size;
  count_answers(received_ / load_->script.message());
}

void Connection::take_frames(const char* bytes, std::size_t size) {
  const std::string& body = load_->script.body();
  for (std::size_t used = 0; size > 0; bytes += used, size -= used) {
    if (!in_body_) {
      used = take_header(bytes, size);
      continue;
    }
    used = std::min(size, body.size() - body_at_);
    if (std::memcmp(bytes, body.data() + body_at_, used) != 0) fail("a wrong byte came back");
    body_at_ += used;
    if (body_at_ < body.size()) continue;
    body_at_ = 0;
    in_body_ = false;
    if (answered_ == begun_) fail("an answer to what was not asked");
    count_answers(answered_ + 1);
  }
}

std::size_t Connection::take_header(const char* bytes, std::size_t size) {
  constexpr std::size_t kLongest = 1000;
  std::uint32_t length = 0;
  const auto wanted = [&]() -> std::size_t {
    if (header_.size() < sizeof length) return sizeof length;
    std::memcpy(&length, header_.data(), sizeof length);
    if (length > kLongest) fail("a header is too long");
    return sizeof length + length;
  };
  const std::size_t used = std::min(size, wanted() - header_.size());
  header_.append(bytes, used);
  if (header_.size() < wanted()) return used;
  const std::size_t at = header_.find("\"size\":");
  if (at == std::string::npos || std::strtoull(header_.c_str() + at + 7, nullptr, 10) != load_->script.body().size())
    fail("a wrong header: " + header_.substr(sizeof length));
  header_.clear();
  in_body_ = true;
  return used;
}

void Connection::count_answers(std::uint64_t answered) {
  if (answered == answered_) return;
  const std::uint64_t now = now_ns();
  for (; answered_ < answered; ++answered_) {
    load_->latency.add(now - begun_at_[answered_ % load_->depth]);
    ++load_->answers;
  }
}
