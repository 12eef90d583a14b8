// Questions to the resolver from a fiber, on threads of their own. Internal.
//
// The C library's resolver asks name servers by system calls of its own, which nobody can stand in front of. So the
// question goes to the lookup threads of <hawser/net/resolver.h>. Whoever gives up leaves at once and the answer is
// dropped when it comes; question and answer are therefore never in the caller's memory.
#pragma once

#include <cerrno>
#include <exception>
#include <memory>

#include <hawser/fiber/waiter.h>
#include <hawser/net/lookup_threads.h>
#include <patch/waiting.h>

namespace hawser::patch {

enum class LookUp : std::uint8_t { answered, refused, impossible };

// question->ask() is called on another thread. refused: errno says why; impossible: there is no memory or thread for
// it.
template <class Question>
[[nodiscard]] LookUp look_up(const char* call, const std::shared_ptr<Question>& question) noexcept {
  // Not asked at all, lest a quick answer hide that the fiber was to stop.
  if (is_to_stop()) return LookUp::refused;
  try {
    Waiter waiter(call);
    hawser::detail::LookupThreads::Lookup lookup(
        [question] {
          question->ask();
          return hawser::detail::Answer();
        },
        [&waiter] { waiter.unpark(); });
    const Wake why = waiter.park();
    if (lookup.answered()) return LookUp::answered;
    errno = why == Wake::cancelled ? ECANCELED : ETIMEDOUT;
    return LookUp::refused;
  } catch (const std::exception&) {
    return LookUp::impossible;
  }
}

}  // namespace hawser::patch
