#include <sys/socket.h>
#include <unistd.h>

#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>

using namespace hawser;

// A read that blocks, in a fiber, of what another fiber of the thread is still to write.
int main() {
  return run([] {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return 1;
    Task<void> writer = spawn([&] { [[maybe_unused]] const auto written = write(ends[1], "x", 1); });
    char byte = 0;
    return read(ends[0], &byte, 1) == 1 && byte == 'x' ? 0 : 1;
  });
}
