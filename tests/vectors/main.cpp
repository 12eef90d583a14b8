// vectors KIND FILE: runs a file of cases that Python made: struct, codec, strftime, or tables (the GBK and GB18030
// mappings). Prints what failed and, last, `N passed, M failed`; ends with 0 when nothing failed and something passed.
#include <fmt/format.h>

#include <exception>
#include <fstream>
#include <sstream>
#include <string_view>

#include "cases.h"

namespace {

using namespace hawser;
using namespace hawser::vectors;

Tally judge(std::string_view kind, const Json& file) {
  if (kind == "struct") return judge_struct(file);
  if (kind == "codec") return judge_codec(file);
  if (kind == "strftime") return judge_strftime(file);
  if (kind == "tables") return judge_tables(file);
  throw std::invalid_argument(fmt::format("unknown kind of vectors: {}", kind));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: vectors struct|codec|strftime|tables FILE\n");
    return 2;
  }
  try {
    std::ifstream file(argv[2], std::ios::binary);
    if (!file) throw std::runtime_error(fmt::format("cannot read {}", argv[2]));
    std::ostringstream text;
    text << file.rdbuf();
    const Tally tally = judge(argv[1], Json::parse(text.str()));
    fmt::print("{} passed, {} failed\n", tally.passed, tally.failed);
    return tally.failed == 0 && tally.passed > 0 ? 0 : 1;
  } catch (const std::exception& error) {
    fmt::print(stderr, "vectors: {}\n", error.what());
    return 2;
  }
}
