#include <patch/libc.h>

#include <dlfcn.h>

#include <cstdlib>

#include <hawser/base/made_once.h>

namespace hawser::patch {
namespace {

template <class Function>
void find(Function& function, const char* name) noexcept {
  function = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
  if (function) return;
  // Nothing that is patched may be used for saying so.
  std::abort();
}

Libc found() noexcept {
  Libc next{};
#define HAWSER_FIND(name) find(next.name, #name)
  HAWSER_FIND(accept);
  HAWSER_FIND(accept4);
  HAWSER_FIND(clock_nanosleep);
  HAWSER_FIND(close);
  HAWSER_FIND(connect);
  HAWSER_FIND(dup2);
  HAWSER_FIND(dup3);
  HAWSER_FIND(epoll_pwait);
  HAWSER_FIND(epoll_pwait2);
  HAWSER_FIND(epoll_wait);
  HAWSER_FIND(getaddrinfo);
  HAWSER_FIND(gethostbyaddr);
  HAWSER_FIND(gethostbyaddr_r);
  HAWSER_FIND(gethostbyname);
  HAWSER_FIND(gethostbyname2);
  HAWSER_FIND(gethostbyname2_r);
  HAWSER_FIND(gethostbyname_r);
  HAWSER_FIND(getnameinfo);
  HAWSER_FIND(nanosleep);
  HAWSER_FIND(poll);
  HAWSER_FIND(ppoll);
  HAWSER_FIND(pselect);
  HAWSER_FIND(read);
  HAWSER_FIND(readv);
  HAWSER_FIND(recv);
  HAWSER_FIND(recvfrom);
  HAWSER_FIND(recvmsg);
  HAWSER_FIND(select);
  HAWSER_FIND(send);
  HAWSER_FIND(sendmsg);
  HAWSER_FIND(sendto);
  HAWSER_FIND(sleep);
  HAWSER_FIND(usleep);
  HAWSER_FIND(write);
  HAWSER_FIND(writev);
#undef HAWSER_FIND
  return next;
}

constinit detail::MadeOnce<const Libc> g_libc;

// So that the first call from a signal handler, or in a forked child, finds them.
[[maybe_unused, gnu::constructor(101)]] void find_before_main() noexcept { static_cast<void>(libc()); }

}  // namespace

const Libc& libc() noexcept { return g_libc.get(&found); }

}  // namespace hawser::patch
