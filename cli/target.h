// Target: which hub a command talks to, how it is trusted, and as whom: what was typed, else what the environment says,
// else the session used last.
#pragma once

#include <optional>
#include <string>

#include "cli/globals.h"
#include "cli/home.h"
#include "cli/hub_name.h"

namespace hawser::cli {

struct Target {
  HubName hub;
  bool plain = false;
  std::string ca;               // at most one of ca and pin
  std::string pin;              // normalised
  std::string user;             // empty: nobody was named
  std::string token;            // empty: none
  bool token_is_saved = false;  // it is out of the sessions file
  std::string password;         // HAWSER_PASSWORD; empty: not set
};

// Reads the environment and, unless `fresh`, the saved sessions. fresh is for commands that sign in anew: what was
// saved counts only for the choice of the hub. Throws Failure (usage) for options that make no sense together.
[[nodiscard]] Target find_target(const Globals& globals, const Home& home, bool fresh = false);

// Empty when the variable is not set.
[[nodiscard]] std::string environment(const char* name);

}  // namespace hawser::cli
