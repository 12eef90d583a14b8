// What run_command() and run_pipeline() share: the options of a child, and its end in words. Internal.
#pragma once

#include <string>

#include <hawser/process/command.h>
#include <hawser/process/run_command.h>

namespace hawser::detail {

// "exit 2", "SIGKILL".
[[nodiscard]] std::string how_it_ended(int return_code);

// Takes what it needs out of the options.
[[nodiscard]] PopenOptions popen_options(CommandOptions& options);

}  // namespace hawser::detail
