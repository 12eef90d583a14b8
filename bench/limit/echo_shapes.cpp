// One echo server, many shapes: what each way of asking io_uring costs, with nothing of ours around it.
//
//   echo_shapes PORT SHAPE [ACCEPT]
//
//   poll             a poll for each wait, then recv(2) and send(2)
//   poll-multi       one poll that stays, then recv(2) and send(2)
//   recv             a receive for each wait, then send(2)
//   recv-send        a receive for each wait, the send through the ring
//   recv-multi       one receive that stays, into provided buffers, then send(2)
//   recv-multi-send  the same, the send through the ring
//   recv-multi-zc    the same, the send without a copy (SEND_ZC)
//   recv-fixed       as recv, on a registered descriptor
//
// Connections come by a request that stays (ACCEPT is `multi`, the default), by one request for each (`once`), or by
// accept4(2) when a poll of the listener says so (`call`).
#include <fcntl.h>
#include <liburing.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

#include "../listening.h"

namespace {

constexpr unsigned kEntries = 1024;
constexpr unsigned kBuffers = 512;
constexpr std::size_t kBufferSize = 64 * 1024;
constexpr int kGroup = 1;
enum Event : std::uint64_t { kAccept, kAcceptable, kReadable, kReceived, kSent, kNothing };

struct Shape {
  bool polls = false;
  bool stays = false;      // multishot
  bool sends_too = false;  // through the ring
  bool zero_copy = false;
  bool fixed = false;
  bool accepts_once = false;
  bool accepts_by_call = false;
};

Shape shape;
io_uring ring;
io_uring_buf_ring* pool;
std::vector<char> memory;
std::vector<char> scratch(kBufferSize);
std::vector<std::vector<char>> own;  // by descriptor, for receives that do not stay

io_uring_sqe& entry(Event event, int fd, unsigned buffer = 0) {
  io_uring_sqe* sqe = nullptr;
  while (!(sqe = io_uring_get_sqe(&ring))) io_uring_submit(&ring);
  std::memset(sqe, 0, sizeof *sqe);
  sqe->user_data = static_cast<std::uint64_t>(event) << 56 | std::uint64_t{buffer} << 32 | static_cast<unsigned>(fd);
  return *sqe;
}

void prepare(io_uring_sqe& sqe, std::uint8_t operation, int fd, const void* address, std::size_t size) {
  sqe.opcode = operation;
  sqe.fd = fd;
  sqe.addr = reinterpret_cast<std::uint64_t>(address);
  sqe.len = static_cast<std::uint32_t>(size);
}

char* buffer(unsigned id) { return memory.data() + id * (kBufferSize + 64); }

void recycle(unsigned id) {
  io_uring_buf_ring_add(pool, buffer(id), kBufferSize, static_cast<std::uint16_t>(id), io_uring_buf_ring_mask(kBuffers),
                        0);
  io_uring_buf_ring_advance(pool, 1);
}

void ask(int fd) {
  if (shape.polls) {
    io_uring_sqe& sqe = entry(kReadable, fd);
    prepare(sqe, IORING_OP_POLL_ADD, fd, nullptr, shape.stays ? IORING_POLL_ADD_MULTI : 0);
    sqe.poll32_events = POLLIN | POLLRDHUP;
    return;
  }
  io_uring_sqe& sqe = entry(kReceived, fd);
  if (shape.stays) {
    prepare(sqe, IORING_OP_RECV, fd, nullptr, 0);
    sqe.ioprio = IORING_RECV_MULTISHOT;
    sqe.flags = IOSQE_BUFFER_SELECT;
    sqe.buf_group = kGroup;
  } else {
    prepare(sqe, IORING_OP_RECV, fd, own[static_cast<std::size_t>(fd)].data(), kBufferSize);
    sqe.ioprio = IORING_RECVSEND_POLL_FIRST;
    if (shape.fixed) sqe.flags = IOSQE_FIXED_FILE;
  }
}

void finish(int fd) {
  if (shape.stays) {
    io_uring_sqe& sqe = entry(kNothing, fd);
    prepare(sqe, IORING_OP_ASYNC_CANCEL, -1,
            reinterpret_cast<void*>((shape.polls ? std::uint64_t{kReadable} : std::uint64_t{kReceived}) << 56 |
                                    static_cast<unsigned>(fd)),
            0);
  }
  if (shape.fixed) {
    int none = -1;
    io_uring_register_files_update(&ring, static_cast<unsigned>(fd), &none, 1);
  }
  ::close(fd);
}

void send_now(int fd, const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t n = ::send(fd, data, size, MSG_NOSIGNAL);
    if (n < 0 && errno == EAGAIN) {
      pollfd room{fd, POLLOUT, 0};
      ::poll(&room, 1, -1);
    } else if (n < 0) {
      return;
    } else {
      data += n;
      size -= static_cast<std::size_t>(n);
    }
  }
}

void send_later(int fd, const char* data, std::size_t size, unsigned id) {
  io_uring_sqe& sqe = entry(kSent, fd, id);
  prepare(sqe, shape.zero_copy ? IORING_OP_SEND_ZC : IORING_OP_SEND, fd, data, size);
  sqe.msg_flags = MSG_NOSIGNAL | MSG_WAITALL;
  if (shape.fixed) sqe.flags = IOSQE_FIXED_FILE;
}

void on_readable(int fd, bool more) {
  const ssize_t got = ::recv(fd, scratch.data(), scratch.size(), 0);
  if (got > 0) send_now(fd, scratch.data(), static_cast<std::size_t>(got));
  if (got == 0 || (got < 0 && errno != EAGAIN)) return finish(fd);
  if (!more) ask(fd);
}

void on_received(int fd, int result, std::uint32_t flags) {
  const bool more = flags & IORING_CQE_F_MORE;
  if (result == -ECANCELED) return;
  if (result <= 0 && result != -ENOBUFS) return finish(fd);
  if (result > 0) {
    const auto size = static_cast<std::size_t>(result);
    const unsigned id = flags >> IORING_CQE_BUFFER_SHIFT;
    const char* data = shape.stays ? buffer(id) : own[static_cast<std::size_t>(fd)].data();
    if (shape.sends_too) return send_later(fd, data, size, shape.stays ? id + (more ? 0 : kBuffers) : 0);
    send_now(fd, data, size);
    if (shape.stays) recycle(id);
  }
  if (!more) ask(fd);
}

void on_sent(int fd, int result, unsigned id, std::uint32_t flags) {
  if (flags & IORING_CQE_F_MORE) return;  // SEND_ZC: the buffer is still in use
  static_cast<void>(result);
  if (!shape.stays) return ask(fd);
  recycle(id % kBuffers);
  if (id >= kBuffers) ask(fd);
}

void ask_for_connections(int listener) {
  if (shape.accepts_by_call) {
    io_uring_sqe& sqe = entry(kAcceptable, listener);
    prepare(sqe, IORING_OP_POLL_ADD, listener, nullptr, 0);
    sqe.poll32_events = POLLIN;
    return;
  }
  io_uring_sqe& sqe = entry(kAccept, listener);
  prepare(sqe, IORING_OP_ACCEPT, listener, nullptr, 0);
  sqe.accept_flags = SOCK_CLOEXEC | SOCK_NONBLOCK;
  if (!shape.accepts_once) sqe.ioprio = IORING_ACCEPT_MULTISHOT;
}

void on_connection(int listener, int fd, bool more) {
  if (!more) ask_for_connections(listener);
  if (fd < 0) return;
  if (own.size() <= static_cast<std::size_t>(fd)) own.resize(static_cast<std::size_t>(fd) + 64);
  if (!shape.polls && !shape.stays) own[static_cast<std::size_t>(fd)].resize(kBufferSize);
  if (shape.fixed) io_uring_register_files_update(&ring, static_cast<unsigned>(fd), &fd, 1);
  ask(fd);
}

void on_acceptable(int listener) {
  for (int fd = 0; (fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0;)
    on_connection(listener, fd, true);
  ask_for_connections(listener);
}

bool read_shape(std::string_view name) {
  shape.polls = name.starts_with("poll");
  shape.stays = name.find("-multi") != name.npos;
  shape.zero_copy = name.ends_with("-zc");
  shape.sends_too = name.ends_with("-send") || shape.zero_copy;
  shape.fixed = name.find("-fixed") != name.npos;
  return shape.polls || name.starts_with("recv");
}

[[noreturn]] void die(const char* what) {
  std::perror(what);
  std::exit(1);
}

}  // namespace

int main(int argc, char** argv) {
  const int listener = listening_socket(port_of(argc, argv));
  if (argc < 3 || !read_shape(argv[2])) die("SHAPE");
  const std::string_view accept = argc > 3 ? argv[3] : "multi";
  shape.accepts_once = accept == "once";
  shape.accepts_by_call = accept == "call";
  if (shape.accepts_by_call) ::fcntl(listener, F_SETFL, ::fcntl(listener, F_GETFL) | O_NONBLOCK);
  io_uring_params parameters{};
  parameters.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE;
  parameters.cq_entries = 4 * kEntries;
  if ((errno = -io_uring_queue_init_params(kEntries, &ring, &parameters))) die("io_uring_queue_init");
  io_uring_register_ring_fd(&ring);
  if (shape.fixed) {
    const std::vector<int> none(4096, -1);
    if ((errno = -io_uring_register_files(&ring, none.data(), 4096))) die("register_files");
  }
  if (shape.stays && !shape.polls) {
    memory.resize(kBuffers * (kBufferSize + 64));
    pool = static_cast<io_uring_buf_ring*>(std::aligned_alloc(4096, kBuffers * sizeof(io_uring_buf)));
    io_uring_buf_reg group{};
    group.ring_addr = reinterpret_cast<std::uint64_t>(pool);
    group.ring_entries = kBuffers;
    group.bgid = kGroup;
    if ((errno = -io_uring_register_buf_ring(&ring, &group, 0))) die("register_buf_ring");
    io_uring_buf_ring_init(pool);
    for (unsigned id = 0; id < kBuffers; ++id) recycle(id);
  }
  ask_for_connections(listener);
  for (;;) {
    io_uring_submit_and_wait(&ring, 1);
    io_uring_cqe* cqe = nullptr;
    unsigned head = 0;
    unsigned seen = 0;
    io_uring_for_each_cqe(&ring, head, cqe) {
      ++seen;
      const int fd = static_cast<int>(static_cast<std::uint32_t>(cqe->user_data));
      const auto id = static_cast<unsigned>(cqe->user_data >> 32 & 0xffffff);
      const bool more = cqe->flags & IORING_CQE_F_MORE;
      switch (static_cast<Event>(cqe->user_data >> 56)) {
        case kAccept:
          on_connection(fd, cqe->res, more);
          break;
        case kAcceptable:
          on_acceptable(fd);
          break;
        case kReadable:
          if (cqe->res >= 0) on_readable(fd, more);
          break;
        case kReceived:
          on_received(fd, cqe->res, cqe->flags);
          break;
        case kSent:
          on_sent(fd, cqe->res, id, cqe->flags);
          break;
        case kNothing:
          break;
      }
    }
    io_uring_cq_advance(&ring, seen);
  }
}
