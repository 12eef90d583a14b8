#include <unistd.h>

#include <cstdio>
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "cli/standard_streams.h"

int main(int argc, char** argv) {
  hawser::cli::fill_closed_streams();
  const int code = hawser::cli::run_command_line(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
  const int told = std::fflush(stdout) != 0 && code == 0 ? 1 : code;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return told;  // they report at the end
#else
  // All that matters has been closed by its owner. Freeing what OpenSSL keeps for its next use would take half a
  // millisecond more, and the kernel has to take the memory back anyway.
  std::fflush(nullptr);
  ::_exit(told);
#endif
}
