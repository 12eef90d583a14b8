// close(2), dup2(2), dup3(2): whoever waits for the number is told first, so that nobody waits for ever for what is
// gone, nor goes on with the descriptor that gets the number next.
#include <unistd.h>

#include <patch/libc.h>
#include <patch/waiting.h>

using hawser::patch::forget;
using hawser::patch::libc;

extern "C" {

int close(int fd) {
  forget(fd);
  return libc().close(fd);
}

int dup2(int from, int to) noexcept {
  if (from != to) forget(to);
  return libc().dup2(from, to);
}

int dup3(int from, int to, int flags) noexcept {
  if (from != to) forget(to);
  return libc().dup3(from, to, flags);
}
}
