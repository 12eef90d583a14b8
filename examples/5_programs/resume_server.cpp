// Resume, shown bare: the client names a file and its size, the server says how much of it has come already, and the
// client sends the rest. What has come stays in NAME.part, whatever breaks.
//
//   resume_server PORT FOLDER
//
// The part is trusted to be the beginning of the same file; the hub compares hashes before it believes that.
#include <filesystem>
#include <fstream>
#include <iostream>

#include <hawser/hawser.h>

using namespace hawser;
namespace fs = std::filesystem;

void receive_rest(Socket& peer, const fs::path& folder) {
  FrameStream frames(peer);
  const Frame wish = frames.receive();
  if (!wish) return;
  const fs::path name = fs::path(wish["filename"].as_string()).filename();
  const std::uint64_t size = wish["filesize"].as_uint64();
  const fs::path part = folder / (name.string() + ".part");
  std::uint64_t have = fs::exists(part) ? fs::file_size(part) : 0;
  if (have > size) fs::resize_file(part, have = 0);
  frames.send({{"offset", have}});
  std::cout << name.string() << ": from " << have << " of " << size << std::endl;

  std::ofstream file(part, std::ios::binary | std::ios::app);
  while (have < size) {
    const Bytes data = peer.recv(std::min<std::uint64_t>(size - have, 64 * 1024));
    if (!data) return;  // the next attempt goes on from here
    file.write(data.view().data(), static_cast<std::streamsize>(data.size()));
    file.flush();
    have += data.size();
  }
  file.close();
  fs::rename(part, folder / name);
  frames.send({{"ok", true}});
  std::cout << name.string() << ": complete" << std::endl;
}

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: resume_server PORT FOLDER\n";
    return 2;
  }
  return run([&] {
    FiberTcpServer server({"127.0.0.1", std::stoi(argv[1])}, [&](Socket& peer) { receive_rest(peer, argv[2]); });
    std::cout << "listening on " << server.address().str() << std::endl;
    server.serve_forever();
  });
}
