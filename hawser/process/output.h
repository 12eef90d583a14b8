// What a child has written, and the error that carries it when the time was up.
#pragma once

#include <memory>
#include <string>

#include <hawser/base/bytes.h>
#include <hawser/base/errors.h>

namespace hawser {

struct Output {
  Bytes out;
  Bytes err;
};

// The time of communicate() or run_command() was up. output() is what had come so far.
class CommandTimedOut : public TimedOut {
 public:
  CommandTimedOut(const std::string& what, Output output)
      : TimedOut(what), output_(std::make_shared<const Output>(std::move(output))) {}
  [[nodiscard]] const Output& output() const noexcept { return *output_; }

 private:
  std::shared_ptr<const Output> output_;  // shared, for exceptions are copied
};

}  // namespace hawser
