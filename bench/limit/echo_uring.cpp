// The limit of an echo server on io_uring: one thread, one ring that runs its work when we wait (DEFER_TASKRUN), accept
// in multishot, receiving into a buffer that the kernel picks when there are bytes, a send out of the same buffer. One
// system call for all that has gathered.
//
//   limit_echo_uring PORT
#include "../listening.h"

#include <liburing.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <memory>
#include <vector>

namespace {

constexpr unsigned kBuffers = 2048;
constexpr unsigned kBufferSize = 16 * 1024;
constexpr int kGroup = 0;

enum Step : std::uint64_t { accepting, receiving, sending };

struct Tag {
  Step step;
  int fd;
  unsigned buffer;
};
std::uint64_t packed(const Tag& tag) {
  return tag.step << 62 | static_cast<std::uint64_t>(tag.buffer) << 32 | static_cast<std::uint32_t>(tag.fd);
}
Tag unpacked(std::uint64_t data) {
  return {static_cast<Step>(data >> 62), static_cast<int>(data & 0xFFFFFFFF),
          static_cast<unsigned>(data >> 32 & 0xFFFF)};
}

class Server {
 public:
  explicit Server(int listener) : memory_(new char[std::size_t{kBuffers} * kBufferSize]) {
    io_uring_params options{};
    options.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE;
    options.cq_entries = 16'384;
    const int made = io_uring_queue_init_params(4096, &ring_, &options);
    if (made < 0) give_up("io_uring_setup", made);
    void* shared = nullptr;
    if (::posix_memalign(&shared, 4096, kBuffers * sizeof(io_uring_buf)) != 0) std::abort();
    buffers_ = static_cast<io_uring_buf_ring*>(shared);
    io_uring_buf_reg registration{};
    registration.ring_addr = reinterpret_cast<std::uint64_t>(buffers_);
    registration.ring_entries = kBuffers;
    registration.bgid = kGroup;
    const int registered = io_uring_register_buf_ring(&ring_, &registration, 0);
    if (registered < 0) give_up("a ring of buffers", registered);
    io_uring_buf_ring_init(buffers_);
    for (unsigned i = 0; i < kBuffers; ++i) free_.push_back(kBuffers - 1 - i);

    io_uring_sqe* sqe = next();
    io_uring_prep_multishot_accept(sqe, listener, nullptr, nullptr, SOCK_CLOEXEC);
    io_uring_sqe_set_data64(sqe, packed({accepting, listener, 0}));
  }

  void run() {
    for (;;) {
      io_uring_submit_and_wait(&ring_, 1);
      unsigned head = 0, count = 0;
      io_uring_cqe* cqe = nullptr;
      io_uring_for_each_cqe(&ring_, head, cqe) {
        finished(*cqe);
        ++count;
      }
      io_uring_cq_advance(&ring_, count);
    }
  }

 private:
  [[noreturn]] static void give_up(const char* what, int error) {
    errno = -error;
    std::perror(what);
    std::exit(2);
  }

  io_uring_sqe* next() {
    io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
    while (!sqe) {
      io_uring_submit(&ring_);
      sqe = io_uring_get_sqe(&ring_);
    }
    return sqe;
  }

  char* memory(unsigned buffer) { return memory_.get() + std::size_t{buffer} * kBufferSize; }

  void give_back(unsigned buffer) {
    free_.push_back(buffer);
    offer();
  }

  // As many as there are receives, no more, since the kernel takes them in turns.
  void offer() {
    for (; offered_ < armed_ && !free_.empty(); ++offered_) {
      const unsigned buffer = free_.back();
      free_.pop_back();
      io_uring_buf_ring_add(buffers_, memory(buffer), kBufferSize, static_cast<unsigned short>(buffer),
                            io_uring_buf_ring_mask(kBuffers), 0);
      io_uring_buf_ring_advance(buffers_, 1);
    }
  }

  void receive(int fd) {
    ++armed_;
    offer();
    io_uring_sqe* sqe = next();
    io_uring_prep_recv(sqe, fd, nullptr, kBufferSize, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    sqe->buf_group = kGroup;
    io_uring_sqe_set_data64(sqe, packed({receiving, fd, 0}));
  }

  void finished(const io_uring_cqe& cqe) {
    const Tag tag = unpacked(cqe.user_data);
    if (tag.step == receiving) --armed_;
    if (cqe.flags & IORING_CQE_F_BUFFER) --offered_;
    if (tag.step == accepting) {
      if (cqe.res >= 0) receive(cqe.res);
    } else if (tag.step == sending) {
      give_back(tag.buffer);
      cqe.res > 0 ? receive(tag.fd) : close(tag.fd);
    } else if (cqe.res == -ENOBUFS) {
      receive(tag.fd);  // by then a send will have given one back
    } else {
      const unsigned buffer = cqe.flags >> IORING_CQE_BUFFER_SHIFT;
      if (cqe.res > 0) {
        io_uring_sqe* sqe = next();
        io_uring_prep_send(sqe, tag.fd, memory(buffer), static_cast<std::size_t>(cqe.res), MSG_WAITALL | MSG_NOSIGNAL);
        io_uring_sqe_set_data64(sqe, packed({sending, tag.fd, buffer}));
      } else {
        if (cqe.flags & IORING_CQE_F_BUFFER) give_back(buffer);
        close(tag.fd);
      }
    }
  }

  static void close(int fd) { ::close(fd); }

  io_uring ring_{};
  io_uring_buf_ring* buffers_ = nullptr;
  std::unique_ptr<char[]> memory_;
  std::vector<unsigned> free_;  // the last used comes first: it is in the caches
  std::size_t armed_ = 0;       // receives under way
  std::size_t offered_ = 0;     // buffers the kernel may pick
};

}  // namespace

int main(int argc, char** argv) { Server(listening_socket(port_of(argc, argv))).run(); }
