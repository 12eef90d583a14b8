// The client of upload_server: sends files, each with its header in front.
//
//   upload_client PORT FILE…
#include <fcntl.h>

#include <filesystem>
#include <iostream>

#include <hawser/hawser.h>

using namespace hawser;
namespace fs = std::filesystem;

void send_file(Socket& sock, const fs::path& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) throw_errno("open", path.string());
  const auto size = fs::file_size(path);
  const std::string header = Json{{"cmd", "put"}, {"filename", path.filename().string()}, {"filesize", size}}.dump();
  sock.send_all(pack<"i">(static_cast<int>(header.size())));
  sock.send_all(header);
  sock.send_file(file.get(), 0, size);
  std::cout << "sent " << path.filename().string() << ", " << size << " bytes\n";
}

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "usage: upload_client PORT FILE...\n";
    return 2;
  }
  try {
    Socket sock = connect({"127.0.0.1", argv[1]});
    for (int i = 2; i < argc; ++i) send_file(sock, argv[i]);
  } catch (const std::exception& error) {
    std::cerr << "upload_client: " << error.what() << '\n';
    return 1;
  }
}
