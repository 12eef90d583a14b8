// Which of the two cores a thread runs on: 0 for what is measured, 1 for its counterpart.
#pragma once

#include <pthread.h>
#include <sched.h>

// New threads inherit it. -1: either core. Where there is one core only, it stays as it is.
inline void pin(int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (int i = 0; i < 2; ++i)
    if (core < 0 || core == i) CPU_SET(i, &set);
  ::pthread_setaffinity_np(::pthread_self(), sizeof set, &set);
}
