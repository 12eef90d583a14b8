// The hub's log: what the library and the hub report, one line each with its time (UTC), on standard error.
//
// Lines are written by a thread of their own: whoever logs never waits for the terminal or the pipe behind it. When it
// cannot keep up, the oldest lines are dropped. Control characters are taken out, for peers have a say in the texts.
#pragma once

#include <hawser/base/log.h>

namespace hawser::hub {

// As long as one lives, log_line() goes there. One at a time.
class HubLog {
 public:
  explicit HubLog(LogLevel least);
  HubLog(const HubLog&) = delete;
  HubLog& operator=(const HubLog&) = delete;
  // Writes what is still to be written.
  ~HubLog();
};

}  // namespace hawser::hub
