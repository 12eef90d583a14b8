// Copies a file piece by piece: a picture byte for byte, a text with its encoding changed on the way.
//
//   copy_file FROM TO
//   copy_file FROM TO gbk utf-8
//
// A piece may end in the middle of a character; the decoder keeps what is incomplete for the next piece. What was at TO
// stays there until the copy is complete, so that TO may also be FROM itself.
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <random>

#include <hawser/hawser.h>

using namespace hawser;
namespace fs = std::filesystem;

using Change = std::function<Bytes(std::string_view piece, bool last)>;

Change no_change() {
  return [](std::string_view piece, bool) { return Bytes(piece); };
}

Change recoding(const std::string& encoding, const std::string& new_encoding) {
  return [decoder = TextDecoder(encoding), encoder = TextEncoder(new_encoding)](
             std::string_view piece, bool last) mutable { return encoder.encode(decoder.decode(piece, last), last); };
}

void copy(const fs::path& from, std::ofstream& to, const Change& changed) {
  std::ifstream file(from, std::ios::binary);
  if (!file) throw_errno("open", from.string());
  std::string piece(64 * 1024, '\0');
  while (file && to) {
    file.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    if (file.bad()) throw_errno("read", from.string());
    const std::string_view came(piece.data(), static_cast<std::size_t>(file.gcount()));
    const Bytes out = changed(came, file.eof());
    to.write(out.view().data(), static_cast<std::streamsize>(out.size()));
  }
}

void copy_whole(const fs::path& from, const fs::path& to, const Change& changed) {
  if (fs::exists(to) && !fs::is_regular_file(to)) throw std::runtime_error(to.string() + " is no file");
  const fs::path beside = to.string() + fmt::format(".{:08x}", std::random_device{}());
  std::ofstream file(beside, std::ios::binary | std::ios::noreplace);
  if (!file) throw_errno("create", beside.string());
  try {
    copy(from, file, changed);
    file.close();
    if (!file) throw_errno("write", to.string());
    fs::rename(beside, to);
  } catch (...) {
    fs::remove(beside);
    throw;
  }
}

int main(int argc, char** argv) {
  if (argc != 3 && argc != 5) {
    std::cerr << "usage: copy_file FROM TO [ENCODING NEW-ENCODING]\n";
    return 2;
  }
  try {
    copy_whole(argv[1], fs::weakly_canonical(argv[2]), argc == 3 ? no_change() : recoding(argv[3], argv[4]));
  } catch (const std::exception& error) {  // of text: names the codec, the bytes and where they are
    std::cerr << "copy_file: " << error.what() << '\n';
    return 1;
  }
}
