// What a child has written, and the error that carries it when the time was up.
#pragma once

#include <memory>
#include <string>

#include <hawser/base/bytes.h>
#include <hawser/base/errors.h>
#include <hawser/wire/text.h>

namespace hawser {

// The same as text.
struct TextOutput {
  std::string out;
  std::string err;
};

struct Output {
  Bytes out;
  Bytes err;
  // See output_text(). For what a child has written to its end.
  [[nodiscard]] TextOutput text(Codec codec = "utf-8", OnError on_error = OnError::strict) const;
};

// Whether the bytes are all there are, or may stop in the middle of a character, which is then left out.
enum class Ending : std::uint8_t { whole, cut };

// What a program has written, as Python's text mode gives it: decoded, and with "\n" for every "\r\n" and "\r". Throws
// DecodeError.
[[nodiscard]] std::string output_text(BytesView bytes, Codec codec = "utf-8", OnError on_error = OnError::strict,
                                      Ending ending = Ending::whole);

// The time of communicate() or run_command() was up. output() is what had come so far.
class CommandTimedOut : public TimedOut {
 public:
  CommandTimedOut(const std::string& what, Output output)
      : TimedOut(what), output_(std::make_shared<const Output>(std::move(output))) {}
  [[nodiscard]] const Output& output() const noexcept { return *output_; }
  // As far as it consists of whole characters.
  [[nodiscard]] TextOutput text(Codec codec = "utf-8", OnError on_error = OnError::strict) const;

 private:
  std::shared_ptr<const Output> output_;  // shared, for exceptions are copied
};

}  // namespace hawser
