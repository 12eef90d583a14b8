#include "cli/transfer_connections.h"

#include <algorithm>
#include <utility>

#include <hawser/fiber/task_group.h>

#include "cli/pipeline.h"

namespace hawser::cli {

std::size_t connections_for(const TransferOptions& options, std::size_t files) noexcept {
  constexpr std::size_t kUsual = 4, kFilesWorthOne = 16;
  const std::size_t wanted =
      options.connections != 0 ? options.connections : std::min(kUsual, 1 + files / kFilesWorthOne);
  return std::clamp<std::size_t>(wanted, 1, std::max<std::size_t>(files, 1));
}

void work_side_by_side(std::size_t count, std::unique_ptr<HubClient> first, const Connect& connect,
                       const std::function<bool()>& is_more_to_do, const std::function<void(HubClient&)>& work) {
  const auto run = [&](std::unique_ptr<HubClient> hub) {
    while (is_more_to_do() || hub) {
      if (!hub) hub = connect();
      try {
        work(*hub);
      } catch (const ConnectionSpent&) {
        // What is left goes over a new connection.
      }
      hub.reset();
    }
  };
  if (count == 1) return run(std::move(first));
  TaskGroup group;
  group.spawn([&run, hub = std::move(first)]() mutable { run(std::move(hub)); });
  for (std::size_t i = 1; i < count; ++i) group.spawn([&run] { run(nullptr); });
  group.join();
}

}  // namespace hawser::cli
