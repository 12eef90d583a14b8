// CommandTalk: the frames that go both ways while a command runs: its output to the client, the client's input and
// signals to it.
//
// Output is read only when the last of it has been sent, so memory is bounded (two buffers of at most kLargestBuffer)
// and a slow reader slows the command by TCP's own flow control. The client's frames are read all the while: its end
// ends the command (SIGHUP to the whole group, SIGKILL after 5 s). A request that comes meanwhile is kept for
// afterwards, and says that no more input comes; the client's end is looked out for behind it, too.
#pragma once

#include <chrono>
#include <cstddef>
#include <exception>
#include <optional>
#include <string_view>

#include <hawser/fiber/task_group.h>
#include <hawser/process/popen.h>
#include <hawser/sync/event.h>
#include <hawser/sync/lock.h>

#include "hub/doors/native_conversation.h"

namespace hawser::hub {

class CommandTalk {
 public:
  struct End {
    int code = 0;  // -N when signal N ended it
    bool timed_out = false;
  };

  CommandTalk(NativeConversation& talk, const Frame& request, Popen& child, std::chrono::milliseconds timeout);
  CommandTalk(const CommandTalk&) = delete;
  CommandTalk& operator=(const CommandTalk&) = delete;
  ~CommandTalk();

  // Until the command has ended and all it wrote was sent. When the connection fails meanwhile: throws what happened
  // to it, after the end of the command.
  End run();

 private:
  static constexpr std::size_t kFirstBuffer = 64 * 1024;
  static constexpr std::size_t kLargestBuffer = 256 * 1024;

  // One stream of the command on its way to the client.
  struct Pump {
    PipeStream& from;
    std::string_view name;
    bool reading = false;
    Clock::time_point reading_since{};
    Event done;
    TaskGroup fiber;
  };

  void pump(Pump& pump);
  void drain(Pump& pump, Clock::time_point ended);
  void read_client();
  void take(const Frame& frame);
  void feed();
  void close_input() noexcept;
  [[nodiscard]] End wait_for_end();
  // The connection is of no more use: ends the command.
  void lose(std::exception_ptr why) noexcept;

  NativeConversation& talk_;
  const Json* id_;
  Popen& child_;
  Expiry expiry_;
  Expiry patience_;  // until when a client may take to read
  FrameLimits limits_;
  Lock sending_;
  bool input_open_ = true;
  bool lost_ = false;
  std::exception_ptr why_lost_;
  Pump out_;
  Pump err_;
  TaskGroup reader_;
};

}  // namespace hawser::hub
