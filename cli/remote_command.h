// RemoteCommand: a command on the hub, seen from here: its output comes out of ours, our input goes into it, our
// signals reach it.
//
// Memory is bounded both ways: output is received only as fast as it can be written, input is read only as fast as the
// hub takes it. Runs inside run(), until the command has ended.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include <hawser/sync/lock.h>

#include "cli/hub_client.h"
#include "cli/interrupt.h"
#include "cli/local_streams.h"

namespace hawser::cli {

class RemoteCommand {
 public:
  // All are borrowed.
  RemoteCommand(HubClient& hub, Report& report, Interrupt& interrupt)
      : hub_(hub), report_(report), interrupt_(interrupt) {}

  // Runs what the `run` request says and returns the exit code that is ours then: the command's, 128 + N for signal N,
  // 124 for a timeout. Throws Failure when the hub refuses or is lost.
  int run(Json request, bool forward_input);

 private:
  void send(Json header, BytesView body = {});
  void forward_input();
  void forward_signals();
  void write_out(LocalOutput& to);
  [[nodiscard]] int end_of(const Json& last) const;

  HubClient& hub_;
  Report& report_;
  Interrupt& interrupt_;
  Lock sending_;
  std::int64_t id_ = 0;
};

// The number of a signal named as the protocol does: "SIGKILL" is 9, "SIGRTMIN+2" the third real-time one; 0 for names
// that are none here.
[[nodiscard]] int signal_number(std::string_view name) noexcept;
// The name; "SIG" and the number where there is none.
[[nodiscard]] std::string signal_name(int number);

}  // namespace hawser::cli
