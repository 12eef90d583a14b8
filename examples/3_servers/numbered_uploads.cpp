// Many clients upload at once; each file is stored under a number of its own, and the client gets a receipt with it.
//
//   numbered_uploads FOLDER [PORT]          then: nc -N 127.0.0.1 9999 < photo.jpg
//
// Two uploads never share a number, not even two servers in one folder: whoever makes the file owns its number, and
// making it fails when it is there.
#include <atomic>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

#include <hawser/hawser.h>

using namespace hawser;
namespace fs = std::filesystem;

fs::path g_folder;
std::atomic<int> g_last = 0;

std::pair<int, std::ofstream> new_file() {
  for (;;) {
    const int number = ++g_last;
    const fs::path path = g_folder / std::to_string(number);
    std::ofstream file(path, std::ios::binary | std::ios::noreplace);
    if (file) return {number, std::move(file)};
    if (!fs::exists(path)) throw std::runtime_error("cannot write " + path.string());
  }
}

void store(Socket& peer) {
  auto [number, file] = new_file();
  std::size_t size = 0;
  try {
    while (Bytes data = peer.recv(64 * 1024)) {
      file.write(data.view().data(), static_cast<std::streamsize>(data.size()));
      size += data.size();
    }
    file.close();
    if (!file) throw std::runtime_error("cannot write upload " + std::to_string(number));
  } catch (...) {  // half an upload is none
    fs::remove(g_folder / std::to_string(number));
    throw;
  }
  peer.send_all("stored as " + std::to_string(number) + ", " + std::to_string(size) + " bytes\n");
}

int main(int argc, char** argv) try {
  if (argc < 2) {
    std::cerr << "usage: numbered_uploads FOLDER [PORT]\n";
    return 2;
  }
  g_folder = argv[1];
  ThreadingTcpServer server({"127.0.0.1", argc > 2 ? argv[2] : "9999"}, store);
  std::cout << "listening on " << server.address().str() << std::endl;
  server.serve_forever();
} catch (const std::exception& error) {
  std::cerr << "numbered_uploads: " << error.what() << "\n";
  return 1;
}
