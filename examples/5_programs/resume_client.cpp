// The client of resume_server. A third argument breaks the transfer off after so many bytes, to be run again without.
//
//   resume_client PORT FILE [BYTES]
#include <fcntl.h>
#include <fmt/format.h>

#include <filesystem>
#include <iostream>

#include <hawser/hawser.h>

using namespace hawser;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

Frame answer(FrameStream& frames) {
  Frame said = frames.receive();
  if (!said) throw std::runtime_error("the server has gone");
  if (said.header().contains("error")) throw std::runtime_error(said["error"].as_string());
  return said;
}

// False when it broke off as it was told to.
bool send_rest(Socket& sock, const fs::path& path, std::uint64_t at_most) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) throw_errno("open", path.string());
  const std::uint64_t size = fs::file_size(path);
  FrameStream frames(sock);
  frames.send({{"filename", path.filename().string()}, {"filesize", size}});
  const std::uint64_t offset = answer(frames)["offset"].as_uint64();
  if (offset > size) throw std::runtime_error(fmt::format("the server claims {} of {} bytes", offset, size));
  std::cout << fmt::format("the server has {} of {} bytes\n", offset, size);

  const std::uint64_t rest = std::min(size - offset, at_most);
  try {
    sock.send_file(file.get(), offset, rest);
  } catch (const SendError&) {
    static_cast<void>(answer(frames));  // it hung up, and may have said why
    throw;
  }
  if (offset + rest < size) {
    std::cout << fmt::format("broke off after {} more\n", rest);
    return false;
  }
  return answer(frames)["ok"].as_bool();
}

int main(int argc, char** argv) {
  if (argc != 3 && argc != 4) {
    std::cerr << "usage: resume_client PORT FILE [BYTES]\n";
    return 2;
  }
  try {
    Socket sock = connect({"127.0.0.1", argv[1]});
    sock.set_idle_timeout(60s);
    const bool complete = send_rest(sock, argv[2], argc == 4 ? std::stoull(argv[3]) : UINT64_MAX);
    if (complete) std::cout << "complete\n";
    return complete ? 0 : 1;
  } catch (const std::exception& error) {
    std::cerr << "resume_client: " << error.what() << '\n';
    return 1;
  }
}
