// The same bytes are another text in another encoding; what is no text at all is refused, or mended as one asks.
//
//   text_codecs                          a tour
//   text_codecs FROM TO [HANDLER]        converts standard input: text_codecs gbk utf-8 replace < a.txt > b.txt
#include <array>
#include <iostream>
#include <map>

#include <hawser/hawser.h>

using namespace hawser;

void tour() {
  const Bytes utf8 = encode("黑马aB1!", "utf-8");
  std::cout << "UTF-8 read as UTF-8: " << decode(utf8, "utf-8") << "\n"
            << "UTF-8 read as GBK:   " << decode(utf8, "gbk") << "\n";
  const Bytes gbk = encode("黑马", "gbk");
  std::cout << "GBK read as UTF-8:   " << decode(gbk, "utf-8", OnError::replace) << "\n";
  try {
    std::cout << decode(gbk, "utf-8");
  } catch (const DecodeError& error) {
    std::cout << "refused: " << error.what() << "\n";
  }
  try {
    std::cout << encode("5 €", "gbk").view();
  } catch (const EncodeError& error) {
    std::cout << "refused: " << error.what() << "\n";
  }
}

// A character may lie across two pieces of the input: decoder and encoder remember the beginning of it.
void convert(Codec from, Codec to, OnError on_error) {
  TextDecoder decoder(from, on_error);
  TextEncoder encoder(to, on_error);
  std::array<char, 4096> piece;
  while (std::cin.read(piece.data(), piece.size()) || std::cin.gcount() > 0) {
    const std::string_view bytes(piece.data(), static_cast<std::size_t>(std::cin.gcount()));
    std::cout << encoder.encode(decoder.decode(bytes)).view();
  }
  std::cout << encoder.encode(decoder.finish(), true).view();
}

int main(int argc, char** argv) {
  const std::map<std::string_view, OnError> handlers = {{"strict", OnError::strict},
                                                        {"ignore", OnError::ignore},
                                                        {"replace", OnError::replace},
                                                        {"backslashreplace", OnError::backslashreplace}};
  try {
    argc < 3 ? tour() : convert(argv[1], argv[2], handlers.at(argc > 3 ? argv[3] : "strict"));
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "text_codecs: " << error.what() << "\n";
    return 1;
  }
}
