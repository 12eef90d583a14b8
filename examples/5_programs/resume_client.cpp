// The client of resume_server. A third argument breaks the transfer off after so many bytes, to be run again without.
//
//   resume_client PORT FILE [BYTES]
#include <fcntl.h>

#include <filesystem>
#include <iostream>

#include <hawser/hawser.h>

using namespace hawser;
namespace fs = std::filesystem;

int main(int argc, char** argv) {
  if (argc != 3 && argc != 4) {
    std::cerr << "usage: resume_client PORT FILE [BYTES]\n";
    return 2;
  }
  const fs::path path = argv[2];
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) throw_errno("open", path.string());
  const std::uint64_t size = fs::file_size(path);

  Socket sock = connect({"127.0.0.1", std::stoi(argv[1])});
  FrameStream frames(sock);
  frames.send({{"filename", path.filename().string()}, {"filesize", size}});
  const Frame answer = frames.receive();
  if (!answer) throw std::runtime_error("the server has gone");
  const std::uint64_t offset = answer["offset"].as_uint64();
  std::cout << "the server has " << offset << " of " << size << " bytes\n";

  const std::uint64_t rest = size - offset;
  if (argc == 4 && std::stoull(argv[3]) < rest) {
    sock.send_file(file.get(), offset, std::stoull(argv[3]));
    std::cout << "broke off after " << argv[3] << " more\n";
    return 1;
  }
  sock.send_file(file.get(), offset, rest);
  std::cout << (frames.receive() ? "complete\n" : "the server has gone\n");
}
