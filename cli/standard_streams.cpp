#include "cli/standard_streams.h"

#include <array>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace hawser::cli {

void fill_closed_streams() noexcept {
  // Opened the wrong way round, where use must not pass for success.
  constexpr std::array kStreams{std::pair{STDIN_FILENO, O_WRONLY}, std::pair{STDOUT_FILENO, O_RDONLY},
                                std::pair{STDERR_FILENO, O_WRONLY}};
  // open() gives the lowest number that is free: the one in question, for those below it are taken.
  for (const auto& [fd, mode] : kStreams)
    if (::fcntl(fd, F_GETFD) < 0) static_cast<void>(::open("/dev/null", mode));
}

}  // namespace hawser::cli
