// An exception that one thread keeps and others may have caught. Internal.
#pragma once

#include <exception>
#include <new>

namespace hawser::detail {

// Before the one that kept it lets go of it. The thread sanitizer does not see how the C++ library counts those who
// share an exception, and calls it a race when the last of them destroys it: under it such exceptions stay for ever.
inline void about_to_let_go([[maybe_unused]] const std::exception_ptr& shared) noexcept {
#if defined(__SANITIZE_THREAD__)
  if (shared) static_cast<void>(new (std::nothrow) std::exception_ptr(shared));
#endif
}

}  // namespace hawser::detail
