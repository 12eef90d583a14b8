// Hub: the server program. It opens the store under its root, listens, and serves until it is told to stop.
//
// A Hub lives inside run() (<hawser/fiber/run.h>) and belongs to the fiber that made it. drain() and stop() may be
// called from any fiber or thread.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include <hawser/net/listener.h>

#include "hub/options.h"

namespace hawser::hub {

class Hub {
 public:
  // listener: one that exists, instead of Options::listen. First start makes the folders, the certificate, the database
  // and an admin's one-time invite. Listens before it returns. Throws OptionsError, SystemError (what could not be
  // opened or bound, with its name).
  explicit Hub(const Options& options, std::optional<Listener> listener = {});
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;
  // Cuts whatever is left.
  ~Hub();

  // "127.0.0.1:7700", with the port that was really taken.
  [[nodiscard]] std::string address() const;
  // "sha256:…" of the certificate; empty when the hub speaks plain TCP.
  [[nodiscard]] std::string fingerprint() const;
  // The invite made for the first admin; empty when the hub has had an admin before.
  [[nodiscard]] std::string first_invite() const;

  // Serves until drain() or stop(); returns when the last conversation has ended. Once.
  void serve();

  // Takes no new connections, ends conversations that are between requests, lets every request in progress finish, and
  // cuts what is left after Options::drain. Waits only for what it closes; serve() returns when all is done.
  // Idempotent.
  void drain();
  // Cuts everything now. Returns at once.
  void stop() noexcept;

  // How many conversations there are.
  [[nodiscard]] std::size_t connections() const noexcept;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

// What `hawser up` does once its arguments are read: checks the options, starts the loops, prints address, fingerprint
// and what to type next on standard output, and "ready HOST:PORT" on standard error. A socket and wishes of a service
// manager are heeded (hawser/serve/systemd.h). The first SIGTERM or SIGINT
// drains, a second one cuts. Returns the exit code: 0, or 1 with the reason on standard error. SIGTERM and SIGINT are
// blocked while it runs. Throws OptionsError for wrong usage. Must be called on the main thread, outside run().
[[nodiscard]] int run_hub(const Options& options);

}  // namespace hawser::hub
