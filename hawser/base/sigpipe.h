// SIGPIPE, for what has no MSG_NOSIGNAL: pipes and sendfile(2). Internal.
#pragma once

namespace hawser::detail {

// The first call of the process ignores the signal if its action is still the default. From any thread. Source:
// signal(7).
void ignore_sigpipe_once() noexcept;

}  // namespace hawser::detail
