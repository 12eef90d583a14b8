// fork(2) in a program that uses hawser: what the child may do.
//
// A child that is made in a fiber, or on a thread beside running loops, is a plain thread outside run(): in_fiber() is
// false, waiting calls block this thread, and it may call run() afresh, start threads, use offload() and resolve names.
// It goes on on the stack it was made on, which for a fiber's is RunOptions::stack_bytes large. Deadline scopes and
// cancellation of the fiber that made it do not reach it. One thing is not in our hands: while a thread of the parent
// is inside getaddrinfo(3) it holds locks of the C library, and a child that is made just then never gets them. Its own
// lookups end by their timeout then; give them one, or resolve before forking.
//
// It may use the sockets, locks and queues it was made with: what fibers and threads of the parent were doing with a
// socket at that moment is forgotten in the child. A lock that somebody else held stays locked there, as with any
// mutex, and tasks of the parent never end there: do not wait for either. The parent's epoll instances, rings, eventfds
// and timers are not touched from the child, and nothing the child does wakes anybody in the parent.
//
// A child ends by _exit(2) or by executing another program. One whose fiber's function returns ends there, with status
// 0 or, when it threw, with its message on standard error and status 1; it never goes on with the parent's other
// fibers.
#pragma once

#include <sys/types.h>

namespace hawser {

// fork(2), with what is buffered for standard output and error written first, so that it does not come out twice.
// Throws SystemError (EAGAIN, ENOMEM).
[[nodiscard]] pid_t fork_process();

namespace detail {
class TaskState;
// The function of the fiber that the child was made in has ended.
[[noreturn]] void end_forked_child(const TaskState& task) noexcept;
}  // namespace detail

}  // namespace hawser
