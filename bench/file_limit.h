// As many open files as the limits let us have: benchmarks hold thousands of connections.
#pragma once

#include <sys/resource.h>

inline void raise_file_limit() {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
}
