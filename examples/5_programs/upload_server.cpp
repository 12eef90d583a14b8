// An upload with a header: 4-byte length, {"cmd":"put","filename":…,"filesize":n}, then the n bytes of the file. The
// client's close ends the conversation.
//
//   upload_server PORT FOLDER
//
// Only the last part of the name counts, so that nobody writes outside the folder; the file gets its name when it is
// complete.
#include <filesystem>
#include <fstream>
#include <iostream>

#include <hawser/hawser.h>

using namespace hawser;
namespace fs = std::filesystem;

void receive_file(BufferedReader& in, const fs::path& folder) {
  const auto [length] = unpack<"i">(in.read_exactly(4));
  if (length <= 0 || length > 65'536) throw std::runtime_error("a header of " + std::to_string(length) + " bytes");
  const Json header = Json::parse(in.read_exactly(static_cast<std::size_t>(length)));
  const fs::path name = fs::path(header["filename"].as_string()).filename();
  if (name.empty() || name == "." || name == "..") throw std::runtime_error("no file name");

  const fs::path part = folder / (name.string() + ".part");
  std::ofstream file(part, std::ios::binary);
  for (auto left = header["filesize"].as_uint64(); left > 0;) {
    const Bytes data = in.read(std::min<std::size_t>(left, 64 * 1024));
    if (!data) throw EndOfStream("the client left in the middle of " + name.string(), 0);
    file.write(data.view().data(), static_cast<std::streamsize>(data.size()));
    left -= data.size();
  }
  file.close();
  if (!file) throw std::runtime_error("cannot write " + part.string());
  fs::rename(part, folder / name);
  std::cout << "stored " << name.string() << ", " << header["filesize"].as_uint64() << " bytes" << std::endl;
}

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: upload_server PORT FOLDER\n";
    return 2;
  }
  return run([&] {
    FiberTcpServer server({"127.0.0.1", std::stoi(argv[1])}, [&](Socket& peer) {
      BufferedReader in(peer);
      while (!in.at_end()) receive_file(in, argv[2]);
    });
    std::cout << "listening on " << server.address().str() << std::endl;
    server.serve_forever();
  });
}
