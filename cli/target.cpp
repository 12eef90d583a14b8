#include "cli/target.h"

#include <cstdlib>
#include <stdexcept>

#include <hawser/tls/certificate.h>

#include "cli/failure.h"
#include "cli/sessions.h"

namespace hawser::cli {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

Target find_target(const Globals& globals, const Home& home, bool fresh) {
  if (globals.plain && !(globals.ca.empty() && globals.pin.empty()))
    throw usage_error("--plain speaks no TLS: there is nothing that --ca or --pin could check");
  if (!globals.ca.empty() && !globals.pin.empty()) throw usage_error("either --ca or --pin, not both");

  Target target;
  target.plain = globals.plain;
  target.ca = globals.ca;
  if (!globals.pin.empty()) {
    try {
      target.pin = normalise_fingerprint(globals.pin);
    } catch (const std::invalid_argument& wrong) {
      throw usage_error(std::string("--pin: ") + wrong.what());
    }
  }
  target.user = globals.user.empty() ? environment("HAWSER_USER") : globals.user;
  target.password = environment("HAWSER_PASSWORD");
  target.token = globals.token.empty() ? environment("HAWSER_TOKEN") : globals.token;

  const std::string asked = globals.hub.empty() ? environment("HAWSER_HUB") : globals.hub;
  if (!asked.empty()) target.hub = HubName::parse(asked);
  const bool needs_saved = target.token.empty() || asked.empty();
  const auto saved =
      needs_saved ? Sessions(home.state()).find(asked.empty() ? "" : target.hub.text(), target.user) : std::nullopt;
  if (saved) {
    target.hub = HubName::parse(saved->hub);
    // Whoever asks for trust to be checked is not to be talked out of it by what was saved.
    if (saved->plain && target.ca.empty() && target.pin.empty() && !fresh) target.plain = true;
    if (target.token.empty() && !fresh) {
      target.token = saved->token;
      target.token_is_saved = true;
      target.user = saved->user;
    }
  } else if (asked.empty()) {
    target.hub = HubName::parse("");
  }
  return target;
}

}  // namespace hawser::cli
