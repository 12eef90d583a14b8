#include "cli/connect_to_hub.h"

namespace hawser::cli {

std::unique_ptr<HubClient> connect_to_hub(Context& context) {
  const Target target = find_target(context.globals, context.home);
  auto hub = std::make_unique<HubClient>(target, context.home, context.report);
  hub->sign_in();
  return hub;
}

}  // namespace hawser::cli
