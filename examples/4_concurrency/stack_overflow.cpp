// Recursion as deep as its input says, on a fiber's stack of 256 KiB.
//
//   stack_overflow 100        fine
//   stack_overflow 1000000    dies, and says in which fiber: the page below a stack is guarded
//   stack_overflow 1000000 limited
#include <fmt/format.h>

#include <cstddef>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>

#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>

using namespace hawser;

// How deep the brackets are nested: ((())) is 3. Each level is a call.
std::size_t depth(std::string_view& text, std::size_t limit) {  // NOLINT(misc-no-recursion): its very point
  if (limit == 0) throw std::length_error("nested too deep");
  std::size_t deepest = 0;
  while (text.starts_with('(')) {
    text.remove_prefix(1);
    deepest = std::max(deepest, 1 + depth(text, limit - 1));
    if (text.starts_with(')')) text.remove_prefix(1);
  }
  return deepest;
}

int main(int argc, char** argv) {
  const std::size_t levels = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 100;
  const std::size_t limit = argc > 2 ? 500 : levels + 1;  // the cure: what strangers send has limits, depth as well
  return run([=] {
    auto counting = spawn([=] {
      const std::string brackets = std::string(levels, '(') + std::string(levels, ')');
      std::string_view left = brackets;
      return depth(left, limit);
    });
    counting.set_name("bracket counter");
    try {
      fmt::print("{} levels\n", counting.get());
    } catch (const std::length_error& error) {
      fmt::print("{}\n", error.what());
    }
    return 0;
  });
}
