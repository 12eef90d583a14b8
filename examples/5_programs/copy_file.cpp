// Copies a file piece by piece: a picture byte for byte, a text with its encoding changed on the way.
//
//   copy_file FROM TO
//   copy_file FROM TO gbk utf-8
//
// A piece may end in the middle of a character; the decoder keeps what is incomplete for the next piece.
#include <fstream>
#include <iostream>

#include <hawser/hawser.h>

using namespace hawser;

void copy(std::istream& from, std::ostream& to,
          const std::function<Bytes(std::string_view piece, bool last)>& changed) {
  std::string piece(64 * 1024, '\0');
  while (from) {
    from.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    const std::string_view came(piece.data(), static_cast<std::size_t>(from.gcount()));
    const Bytes out = changed(came, from.eof());
    to.write(out.view().data(), static_cast<std::streamsize>(out.size()));
  }
}

int main(int argc, char** argv) {
  if (argc != 3 && argc != 5) {
    std::cerr << "usage: copy_file FROM TO [ENCODING NEW-ENCODING]\n";
    return 2;
  }
  std::ifstream from(argv[1], std::ios::binary);
  if (!from) throw_errno("open", argv[1]);
  std::ofstream to(argv[2], std::ios::binary);
  if (!to) throw_errno("open", argv[2]);
  try {
    if (argc == 3) {
      copy(from, to, [](std::string_view piece, bool) { return Bytes(piece); });
    } else {
      TextDecoder decoder(argv[3]);
      TextEncoder encoder(argv[4]);
      copy(from, to,
           [&](std::string_view piece, bool last) { return encoder.encode(decoder.decode(piece, last), last); });
    }
  } catch (const std::exception& error) {  // names the codec, the bytes and where they are
    std::cerr << argv[1] << ": " << error.what() << '\n';
    return 1;
  }
  to.close();
  if (!to) throw_errno("write", argv[2]);
}
