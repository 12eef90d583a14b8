#include <hawser/base/sigpipe.h>

#include <signal.h>

#include <hawser/base/made_once.h>

namespace hawser::detail {
namespace {

constinit MadeOnce<bool> g_ignored;

// False when the program has decided otherwise.
bool ignore() noexcept {
  struct sigaction present {};
  return ::sigaction(SIGPIPE, nullptr, &present) == 0 && present.sa_handler == SIG_DFL &&
         ::signal(SIGPIPE, SIG_IGN) != SIG_ERR;
}

}  // namespace

void ignore_sigpipe_once() noexcept { g_ignored.get(&ignore); }

}  // namespace hawser::detail
