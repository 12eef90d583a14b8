// The thread that starts processes. Internal.
//
// A child that is to die with its parent dies with the *thread* that made it (PR_SET_PDEATHSIG(2const)), so one that
// lives as long as the process must make them. It has a whole stack of its own to give to a forked child, where a fiber
// has a small one, and while it copies the page tables no loop stands still.
#pragma once

#include <functional>

namespace hawser::detail {

// Runs the call there and returns when it has ended; rethrows what it throws. The caller waits, as a fiber or a thread;
// no deadline and no cancellation ends that. Throws SystemError when there is no thread to be had.
void on_starter_thread(const std::function<void()>& call);

}  // namespace hawser::detail
