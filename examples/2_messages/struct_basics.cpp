// Numbers and bytes as C lays them out: packed, unpacked, and refused with a reason.
//
//   struct_basics [FORMAT INTEGER...]    without arguments: a tour
#include <fmt/format.h>

#include <iostream>
#include <vector>

#include <hawser/hawser.h>

using namespace hawser;

void show(std::string_view what, BytesView bytes) {
  std::cout << what << ":";
  for (const std::byte byte : bytes.span()) std::cout << fmt::format(" {:02x}", std::to_integer<int>(byte));
  std::cout << "\n";
}

void tour() {
  // The format is known to the compiler: a wrong letter, a missing value or a text for a number would not compile.
  const auto bytes = pack<"<i3sf">(1, "abc", 2.7F);
  show("<i3sf", bytes);
  const auto [number, text, real] = unpack<"<i3sf">(bytes);
  std::cout << number << " " << text.view() << " " << real << "\n";

  show("little-endian <i", pack<"<i">(1024));
  show("big-endian    !i", pack<"!i">(1024));
  show("packed   <bi", pack<"<bi">(1, 2));
  show("aligned   bi", pack<"bi">(1, 2));
}

// The format comes at run time, and so do the errors.
void pack_integers(const char* format, std::span<char*> integers) {
  std::vector<StructArgument> values;
  for (const char* integer : integers) values.push_back(StructArgument::integer(integer));
  show(format, Struct(format).pack_values(values));
}

int main(int argc, char** argv) {
  if (argc == 1) {
    tour();
    return 0;
  }
  try {
    pack_integers(argv[1], {argv + 2, argv + argc});
    return 0;
  } catch (const StructError& error) {
    std::cerr << "struct_basics: " << error.what() << "\n";
    return 1;
  }
}
