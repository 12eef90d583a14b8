// The start of every command that talks to a hub: find the target, connect, sign in.
#pragma once

#include <memory>

#include "cli/command.h"
#include "cli/hub_client.h"

namespace hawser::cli {

// Connected and signed in. Waits and throws as HubClient does.
[[nodiscard]] std::unique_ptr<HubClient> connect_to_hub(Context& context);

}  // namespace hawser::cli
