#include <hawser/process/output.h>

namespace hawser {
namespace {

std::string with_plain_newlines(std::string text) {
  if (text.find('\r') == std::string::npos) return text;
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\r') {
      plain += text[at];
    } else {
      plain += '\n';
      if (at + 1 < text.size() && text[at + 1] == '\n') ++at;
    }
  }
  return plain;
}

}  // namespace

std::string output_text(BytesView bytes, Codec codec, OnError on_error, Ending ending) {
  return with_plain_newlines(TextDecoder(codec, on_error).decode(bytes, ending == Ending::whole));
}

TextOutput Output::text(Codec codec, OnError on_error) const {
  return {output_text(out, codec, on_error), output_text(err, codec, on_error)};
}

TextOutput CommandTimedOut::text(Codec codec, OnError on_error) const {
  return {output_text(output_->out, codec, on_error, Ending::cut),
          output_text(output_->err, codec, on_error, Ending::cut)};
}

}  // namespace hawser
