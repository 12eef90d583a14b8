// start_afresh: another process of this very program, which runs one function instead of main(). Internal.
//
// A forked child has what other threads had half done: a lock of the allocator, of a library, of a sanitizer stays
// locked in it for ever. The child made here has executed the program's file anew: it is single-threaded and whole, and
// has of its parent nothing but a message and the descriptors named. Static objects are initialised in it as in any
// process of the program; main() is never called. Sources: execve(2), memfd_create(2), PR_SET_PDEATHSIG(2const).
//
// How: the child finds HAWSER_FRESH in its environment, the number of a file in memory with the message, in a function
// that runs when the static objects are made. Those whose turn would come after it are made first. Programs that run
// with more rights than their caller (AT_SECURE) don't look. The file is opened by /proc/self/exe, so it may have been
// replaced or removed meanwhile. Only for programs that hawser is linked into, not for plug-ins of another.
#pragma once

#include <string>
#include <vector>

#include <hawser/process/archive.h>
#include <hawser/process/child_start.h>

namespace hawser::detail {

// What the child calls. When it returns the process ends with 0, when it throws with 1 and the message on standard
// error.
using FreshEntry = void (*)(ArchiveReader& message);

struct FreshOptions {
  std::string name = {};
  // Killed when the *thread* that started it ends: start it from one that lives as long as the process.
  bool dies_with_parent = true;
  // Open in the child, under their numbers.
  std::vector<int> keep_fds = {};
};

// Blocks the thread until the program runs. Throws SystemError, std::logic_error in a plug-in.
ChildStart::Child start_afresh(FreshEntry entry, const std::string& message, const FreshOptions& options);

}  // namespace hawser::detail
