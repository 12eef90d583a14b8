// An upload with a header: 4-byte length, {"cmd":"put","filename":…,"filesize":n}, then the n bytes of the file. The
// client's close ends the conversation.
//
//   upload_server PORT FOLDER
//
// Only the last part of the name counts, so that nobody writes outside the folder. Each upload goes to a file of its
// own, also when two bring the same name at once; it gets its name when it is complete.
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <random>

#include <hawser/hawser.h>

using namespace hawser;
namespace fs = std::filesystem;

void receive_content(BufferedReader& in, std::uint64_t size, std::ofstream& file) {
  while (size > 0 && file) {
    const Bytes data = in.read(std::min<std::uint64_t>(size, 64 * 1024));
    if (!data) throw EndOfStream("the client left in the middle of a file", 0);
    file.write(data.view().data(), static_cast<std::streamsize>(data.size()));
    size -= data.size();
  }
}

void receive_file(BufferedReader& in, const fs::path& folder) {
  const auto [length] = unpack<"i">(in.read_exactly(4));
  if (length <= 0 || length > 65'536) throw std::runtime_error(fmt::format("a header of {} bytes", length));
  const Json header = Json::parse(in.read_exactly(static_cast<std::size_t>(length)));
  const std::string name = fs::path(header["filename"].as_string()).filename();
  // For the system a name ends at the first NUL.
  if (name.empty() || name == "." || name == ".." || name.contains('\0')) throw std::runtime_error("no file name");
  const std::uint64_t size = header["filesize"].as_uint64();
  if (size > FrameLimits::kMaxBody) throw std::runtime_error("no file is as large as that");

  const fs::path part = folder / fmt::format(".{:08x}.part", std::random_device{}());
  std::ofstream file(part, std::ios::binary | std::ios::noreplace);
  if (!file) throw_errno("create", part.string());
  try {
    receive_content(in, size, file);
    file.close();
    if (!file) throw_errno("write", part.string());
    fs::rename(part, folder / name);
  } catch (...) {
    fs::remove(part);
    throw;
  }
  std::cout << fmt::format("stored {}, {} bytes", name, size) << std::endl;
}

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: upload_server PORT FOLDER\n";
    return 2;
  }
  try {
    return run([&] {
      FiberTcpServer server({"127.0.0.1", argv[1]}, [&](Socket& peer) {
        BufferedReader in(peer);
        while (!in.at_end()) receive_file(in, argv[2]);
      });
      std::cout << "listening on " << server.address().str() << std::endl;
      server.serve_forever();
    });
  } catch (const std::exception& error) {
    std::cerr << "upload_server: " << error.what() << '\n';
    return 1;
  }
}
