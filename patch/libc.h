// Libc: the functions that patch/ stands in front of, as the next one in the order of symbols defines them: the C
// library, or a sanitizer before it. Internal.
//
// Everything patched goes on through here, and so does whatever patch/ itself asks of the kernel.
#pragma once

#include <netdb.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

namespace hawser::patch {

struct Libc {
  decltype(&::accept) accept;
  decltype(&::accept4) accept4;
  decltype(&::clock_nanosleep) clock_nanosleep;
  decltype(&::close) close;
  decltype(&::connect) connect;
  decltype(&::dup2) dup2;
  decltype(&::dup3) dup3;
  decltype(&::epoll_pwait) epoll_pwait;
  decltype(&::epoll_pwait2) epoll_pwait2;
  decltype(&::epoll_wait) epoll_wait;
  decltype(&::getaddrinfo) getaddrinfo;
  decltype(&::gethostbyaddr) gethostbyaddr;
  decltype(&::gethostbyaddr_r) gethostbyaddr_r;
  decltype(&::gethostbyname) gethostbyname;
  decltype(&::gethostbyname2) gethostbyname2;
  decltype(&::gethostbyname2_r) gethostbyname2_r;
  decltype(&::gethostbyname_r) gethostbyname_r;
  decltype(&::getnameinfo) getnameinfo;
  decltype(&::nanosleep) nanosleep;
  decltype(&::poll) poll;
  decltype(&::ppoll) ppoll;
  decltype(&::pselect) pselect;
  decltype(&::read) read;
  decltype(&::readv) readv;
  decltype(&::recv) recv;
  decltype(&::recvfrom) recvfrom;
  decltype(&::recvmsg) recvmsg;
  decltype(&::select) select;
  decltype(&::send) send;
  decltype(&::sendmsg) sendmsg;
  decltype(&::sendto) sendto;
  decltype(&::sleep) sleep;
  decltype(&::usleep) usleep;
  decltype(&::write) write;
  decltype(&::writev) writev;
};

// Found once, before main.
[[nodiscard]] const Libc& libc() noexcept;

}  // namespace hawser::patch
