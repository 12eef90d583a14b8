// codec: decode (`in` as hex gives code points), encode (code points give hex), incdecode (chunks, the last one final).
// An error is compared by its kind, its place and its reason.
#include <fmt/format.h>

#include <string>

#include <hawser/wire/text.h>

#include "cases.h"

namespace hawser::vectors {

namespace {

OnError handler(std::string_view name) {
  if (name == "strict") return OnError::strict;
  if (name == "ignore") return OnError::ignore;
  if (name == "replace") return OnError::replace;
  if (name == "backslashreplace") return OnError::backslashreplace;
  throw std::invalid_argument(fmt::format("an unknown error handler: {}", name));
}

Json code_points(std::string_view text) {
  Json numbers = Json::array();
  for (const char32_t character : from_utf8(text)) numbers.push_back(static_cast<std::uint32_t>(character));
  return numbers;
}

std::u32string characters_of(const Json& numbers) {
  std::u32string text;
  for (const Json& number : numbers.as_array()) text.push_back(static_cast<char32_t>(number.as_uint64()));
  return text;
}

// What the operation gives. base: where in the stream the call began that throws, for Python counts from there.
Json run_case(const Json& one, std::size_t& base) {
  const Codec codec = one["enc"].as_string();
  const OnError on_error = handler(one["errors"].as_string());
  const std::string& operation = one["op"].as_string();
  if (operation == "decode") return {{"cp", code_points(decode(from_hex(one["in"].as_string()), codec, on_error))}};
  if (operation == "encode") return {{"hex", to_hex(encode(characters_of(one["in"]), codec, on_error).view())}};
  if (operation == "incdecode") {
    TextDecoder decoder(codec, on_error);
    const Json::Array& chunks = one["chunks"].as_array();
    Json texts = Json::array();
    for (std::size_t i = 0; i < chunks.size(); ++i) {
      base = decoder.position();
      texts.push_back(code_points(decoder.decode(from_hex(chunks[i].as_string()), i + 1 == chunks.size())));
    }
    return {{"cp_per_chunk", texts}};
  }
  throw std::invalid_argument("an unknown operation: " + operation);
}

Json described(const TextError& error, std::string_view type, std::size_t base) {
  return {{"type", type},
          {"encoding", error.codec()},
          {"start", error.start() - base},
          {"end", error.end() - base},
          {"reason", error.reason()}};
}

Outcome judge_one(const Json& one, Tally& /*tally*/) {
  const Json& expected = one["result"];
  std::size_t base = 0;
  Json found;
  try {
    found = run_case(one, base);
  } catch (const DecodeError& error) {
    found = Json{{"err", described(error, "UnicodeDecodeError", base)}};
  } catch (const EncodeError& error) {
    found = Json{{"err", described(error, "UnicodeEncodeError", 0)}};
  } catch (const UnknownCodec& error) {
    found = Json{{"err", {{"type", "LookupError"}, {"msg", error.what()}}}};
  }
  return found == expected ? kPassed : fmt::format("gave {}", found.dump());
}

}  // namespace

Tally judge_codec(const Json& file) { return judge_all(file, judge_one); }

}  // namespace hawser::vectors
