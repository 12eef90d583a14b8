#include "hub/doors/native_commands.h"

#include <algorithm>
#include <array>
#include <utility>

namespace hawser::hub {

NativeCommand find_native_command(std::string_view name) noexcept {
  using Named = std::pair<std::string_view, NativeCommand>;
  static constexpr std::array<Named, 23> kCommands{{
      {"put", native::put},
      {"get", native::get},
      {"list", native::list},
      {"stat", native::stat},
      {"mkdir", native::mkdir},
      {"offset", native::offset},
      {"run", native::run},
      {"ping", native::ping},
      {"hello", native::hello},
      {"resume", native::resume},
      {"login", native::login},
      {"logout", native::logout},
      {"register", native::register_user},
      {"passwd", native::passwd},
      {"whoami", native::whoami},
      {"invite", native::invite},
      {"users", native::users},
      {"role", native::role},
      {"quota", native::quota},
      {"remove", native::remove},
      {"move", native::move},
      {"sum", native::sum},
      {"du", native::du},
  }};
  const auto found = std::ranges::find(kCommands, name, &Named::first);
  return found != kCommands.end() ? found->second : nullptr;
}

bool takes_body(NativeCommand command) noexcept { return command == native::put; }

}  // namespace hawser::hub
