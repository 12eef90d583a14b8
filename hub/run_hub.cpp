#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <hawser/base/errors.h>
#include <hawser/base/log.h>
#include <hawser/fiber/dump.h>
#include <hawser/fiber/run.h>
#include <hawser/fiber/task_group.h>
#include <hawser/serve/systemd.h>

#include "hub/hub.h"
#include "hub/hub_log.h"
#include "hub/stop_signals.h"

namespace hawser::hub {

namespace {

// As many descriptors as we may have; no core dumps, for passwords pass through our memory.
void set_process_limits() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
  }
  rlimit core{};
  if (::getrlimit(RLIMIT_CORE, &core) == 0) {
    core.rlim_cur = 0;
    ::setrlimit(RLIMIT_CORE, &core);
  }
}

void greet(const Hub& hub, const Options& options) {
  const std::string address = hub.address();
  const std::string plain = options.plain ? " --plain" : "";
  fmt::print("hawser hub\n  address      {}\n", address);
  if (options.plain) {
    fmt::print("  plain TCP    whoever is on the way can read everything\n");
  } else {
    fmt::print("  fingerprint  {}\n", hub.fingerprint());
  }
  fmt::print("  root         {}\n  run          {}\n", options.root.native(), to_string(options.allow_run));
  if (const std::string invite = hub.first_invite(); !invite.empty()) {
    fmt::print(
        "\nThis hub has no admin yet. Become one, from another terminal, with this\n  invite       {}\n"
        "by typing\n  hawser --hub {}{} register\n",
        invite, address, plain);
  } else {
    fmt::print("\nSign in with\n  hawser --hub {}{} login\n", address, plain);
  }
  std::fflush(stdout);
}

// The socket that a service manager has opened for us, when there is one.
std::optional<Listener> inherited_listener() {
  std::vector<InheritedSocket> sockets = inherited_sockets();
  if (sockets.empty()) return std::nullopt;
  if (sockets.size() > 1) throw OptionsError(fmt::format("a hub serves one socket, and was given {}", sockets.size()));
  return Listener(std::move(sockets.front().socket));
}

void serve(const Options& options, std::optional<Listener> listener, StopSignals& signals) {
  Hub hub(options, std::move(listener));
  greet(hub, options);
  fmt::print(stderr, "ready {}\n", hub.address());
  std::fflush(stderr);
  notify_service_manager(fmt::format("READY=1\nSTATUS=serving on {}", hub.address()));
  const ServiceWatchdog alive;

  TaskGroup watch;
  watch.spawn([&] {
    const int first = signals.wait();
    notify_service_manager(fmt::format("STOPPING=1\nSTATUS=draining {} connections", hub.connections()));
    log_line(LogLevel::info, fmt::format("signal {}: draining {} connections", first, hub.connections()));
    hub.drain();
    static_cast<void>(signals.wait());
    log_line(LogLevel::info, fmt::format("cutting {} connections", hub.connections()));
    hub.stop();
  });
  hub.serve();
  watch.cancel();
  watch.join();
}

}  // namespace

int run_hub(const Options& asked) {
  Options options = asked;
  std::optional<Listener> listener = inherited_listener();
  if (listener) options.listen = listener->address().str();
  check(options);
  set_process_limits();
  StopSignals signals;
  const HubLog log(options.log_level);
  dump_fibers_on(SIGUSR2);
  try {
    run({.loops = 0}, [&] { serve(options, std::move(listener), signals); });
    // All is done: a signal that comes while the process goes away must not make a failure of it.
    std::signal(SIGTERM, SIG_IGN);
    std::signal(SIGINT, SIG_IGN);
    return 0;
  } catch (const OptionsError&) {
    throw;
  } catch (const std::exception& error) {
    fmt::print(stderr, "hawser up: {}\n", error.what());
    return 1;
  }
}

}  // namespace hawser::hub
