// Being a service: sockets that a service manager has opened for us, and telling it how we are.
//
//   auto sockets = inherited_sockets();                              // LISTEN_FDS
//   FiberTcpServer server(Listener(std::move(sockets.at(0).socket)), echo);
//   notify_service_manager("READY=1");                               // NOTIFY_SOCKET
//   const ServiceWatchdog alive;                                     // WATCHDOG_USEC
//   server.serve_forever();
//
// All of it does nothing where no service manager asked for it, so a program need not ask whether one is there. The
// protocol is systemd's (sd_listen_fds(3), sd_notify(3), sd_watchdog_enabled(3)); any manager may speak it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/base/clock.h>
#include <hawser/net/socket.h>

namespace hawser {

struct InheritedSocket {
  Socket socket;
  std::string name;  // FileDescriptorName= of the unit; "unknown" when it was not given
};

// The sockets handed to this process (LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES), in the unit's order; none when they are
// meant for another one. They are close-on-exec from now on, and the variables are taken out of the environment, so
// that no child takes them for its own, and a second call gives none. At the start of the program, before there are
// threads: it changes the environment. Throws SystemError when a descriptor is not a socket, std::invalid_argument for
// variables that make no sense.
[[nodiscard]] std::vector<InheritedSocket> inherited_sockets();

// Sends one state to the service manager: lines of NAME=VALUE such as "READY=1", "STOPPING=1", "STATUS=serving 12".
// Returns whether there was one to tell. Never blocks and never throws: that nobody listens must not stop a service.
bool notify_service_manager(std::string_view state) noexcept;

// How often the manager wants to hear that we are alive (WATCHDOG_USEC, WATCHDOG_PID); nothing: it does not.
[[nodiscard]] Timeout watchdog_interval() noexcept;

// Says WATCHDOG=1 every half interval, from a fiber of the current loop, while it lives: a loop that is stuck falls
// silent, and the manager restarts the service. Does nothing when nobody asked. std::logic_error outside a fiber.
class ServiceWatchdog {
 public:
  ServiceWatchdog();
  ServiceWatchdog(const ServiceWatchdog&) = delete;
  ServiceWatchdog& operator=(const ServiceWatchdog&) = delete;
  ~ServiceWatchdog();

 private:
  struct Beat;
  std::unique_ptr<Beat> beat_;
};

}  // namespace hawser
