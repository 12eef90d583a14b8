// Reading a frame's header.
#include <cstdlib>
#include <string>
#include <string_view>

#include <hawser/wire/json.h>

#include "micro.h"
#include "stopwatch.h"

using namespace hawser;

namespace {

void headers() {
  const long count = steps(1'000'000);
  // As a FrameStream has it: with room behind that a parser may read.
  std::string text = R"({"size":1024})";
  const std::size_t length = text.size();
  text.resize(length + 64);
  std::uint64_t sum = 0;
  const Stopwatch watch;
  for (long i = 0; i < count; ++i) {
    asm volatile("" : : "r"(text.data()) : "memory");
    sum += Json::parse_padded(std::string_view(text).substr(0, length), text.size())["size"].as_uint64();
  }
  watch.report("frame header {\"size\":1024}, parsed", "hawser Json", count);
  if (sum != 1024ULL * static_cast<std::uint64_t>(count)) std::abort();
}

}  // namespace

void measure_messages() { headers(); }
