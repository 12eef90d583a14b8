// start_thread: hawser's own threads are made here, so that tests can have the kernel refuse one (faults.h). Internal.
//
// Waits for nothing. Throws SystemError, "start thread NAME: Resource temporarily unavailable", and std::bad_alloc; the
// body is gone then and has not run. From any thread. Source: pthread_create(3).
#pragma once

#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include <hawser/base/errors.h>
#include <hawser/base/held_signals.h>
#include <hawser/base/system_calls.h>

namespace hawser::detail {

// The name is for the message.
template <class Body>
[[nodiscard]] std::thread start_thread(std::string_view name, Body&& body) {
  if (sys::thread_create_fails()) throw_errno("start thread", name);
  try {
    return std::thread(std::forward<Body>(body));
  } catch (const std::system_error& error) {
    throw SystemError(error.code().value(), "start thread", name);
  }
}

// The same for one that no signal is delivered to: signals are for the program's own threads.
template <class Body>
[[nodiscard]] std::thread start_quiet_thread(std::string_view name, Body&& body) {
  const HeldSignals inherited;
  return start_thread(name, std::forward<Body>(body));
}

}  // namespace hawser::detail
