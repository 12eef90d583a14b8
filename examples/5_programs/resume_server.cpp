// Resume, shown bare: the client names a file and its size, the server says how much of it has come already, and the
// client sends the rest. What has come stays in NAME.part, whatever breaks; what can't be done is answered with an
// error.
//
//   resume_server PORT FOLDER
//
// The part is trusted to be the beginning of the same file; the hub compares hashes before it believes that.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <filesystem>
#include <fstream>
#include <iostream>

#include <hawser/hawser.h>

using namespace hawser;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

// One sender at a time writes a part: the lock lasts as long as the descriptor.
UniqueFd locked(const fs::path& part) {
  UniqueFd file(::open(part.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
  if (!file) throw_errno("open", part.string());
  if (::flock(file.get(), LOCK_EX | LOCK_NB) < 0) throw std::runtime_error("somebody else is sending it just now");
  return file;
}

void receive_rest(Socket& peer, FrameStream& frames, const Frame& wish, const fs::path& folder) {
  const std::string name = fs::path(wish["filename"].as_string()).filename();
  // For the system a name ends at the first NUL.
  if (name.empty() || name.contains('\0') || name.ends_with(".part")) throw std::runtime_error("no name for a file");
  const std::uint64_t size = wish["filesize"].as_uint64();
  if (size > FrameLimits::kMaxBody) throw std::runtime_error("no file is as large as that");
  const fs::path part = folder / (name + ".part");
  const UniqueFd lock = locked(part);
  std::uint64_t have = fs::file_size(part);
  if (have > size) fs::resize_file(part, have = 0);
  frames.send({{"offset", have}});
  std::cout << fmt::format("{}: from {} of {}", name, have, size) << std::endl;

  std::ofstream file(part, std::ios::binary | std::ios::app);
  while (have < size) {
    const Bytes data = peer.recv(std::min<std::uint64_t>(size - have, 64 * 1024));
    if (!data) {  // the next attempt goes on from here
      std::cout << name << ": broke off" << std::endl;
      return;
    }
    file.write(data.view().data(), static_cast<std::streamsize>(data.size())).flush();
    if (!file) throw_errno("write", part.string());
    have += data.size();
  }
  fs::rename(part, folder / name);
  frames.send({{"ok", true}});
  std::cout << name << ": complete" << std::endl;
}

void serve(Socket& peer, const fs::path& folder) {
  FrameStream frames(peer);
  const Frame wish = frames.receive();
  if (!wish) return;
  try {
    receive_rest(peer, frames, wish, folder);
  } catch (const std::exception& error) {
    frames.send({{"error", error.what()}});
    throw;  // to the server's log
  }
}

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: resume_server PORT FOLDER\n";
    return 2;
  }
  try {
    return run([&] {
      // Who says nothing for a minute has gone, and no longer keeps the part from being sent.
      FiberTcpServer server({"127.0.0.1", argv[1]}, [&](Socket& peer) { serve(peer, argv[2]); }, {.idle_timeout = 60s});
      std::cout << "listening on " << server.address().str() << std::endl;
      server.serve_forever();
    });
  } catch (const std::exception& error) {
    std::cerr << "resume_server: " << error.what() << '\n';
    return 1;
  }
}
