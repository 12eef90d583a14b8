// What the kernel knows of the server's process: its CPU time to the nanosecond, and its memory.
#pragma once

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <string>

class ServerProcess {
 public:
  // Pid 0: nobody asked, all figures are 0.
  explicit ServerProcess(long pid) : pid_(pid) {
    if (pid_ && ::clock_getcpuclockid(static_cast<pid_t>(pid_), &clock_) != 0) {
      std::fprintf(stderr, "no process %ld\n", pid_);
      std::exit(1);
    }
  }

  // User and system time of all its threads.
  [[nodiscard]] double cpu_seconds() const {
    timespec time{};
    if (pid_) ::clock_gettime(clock_, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
  }
  [[nodiscard]] double resident_bytes() const {
    if (!pid_) return 0;
    std::ifstream file("/proc/" + std::to_string(pid_) + "/statm");
    double size = 0, resident = 0;
    file >> size >> resident;
    return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
  }

 private:
  long pid_;
  clockid_t clock_ = CLOCK_PROCESS_CPUTIME_ID;
};
