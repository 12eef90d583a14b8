// Remote commands: a client sends a command as text, the server runs it and sends back what it printed. How does the
// client know where the answer ends? Five ways, each with its own idea of that:
//
//   command_server raw    PORT    nothing around the bytes: the client can only guess
//   command_server ready  PORT    the length as text; the client says "recv_ready"; the bytes
//   command_server length PORT    the length as a 4-byte integer, then the bytes
//   command_server json   PORT    a 4-byte length, a JSON header with size and MD5, then the bytes
//   command_server frames PORT    hawser's frames: the header has the exit code, and errors stay apart from output
//
// Whoever can connect can run anything as you: keep it on the loopback address.
#include <openssl/evp.h>

#include <fmt/ranges.h>
#include <array>

#include <iostream>

#include <hawser/hawser.h>

using namespace hawser;
using namespace std::chrono_literals;

std::string md5(const Bytes& data) {
  std::array<unsigned char, 16> digest;
  EVP_Digest(data.data(), data.size(), digest.data(), nullptr, EVP_md5(), nullptr);
  return fmt::format("{:02x}", fmt::join(digest, ""));
}

constexpr std::size_t kKept = std::size_t{16} << 20;  // of what a command prints; the answer says when there was more

Completed run_shell(const std::string& text, Pipe errors) {
  return run_command(Command::shell(text), {.capture = true, .timeout = 60s, .output_limit = kKept, .stderr_ = errors});
}

void answer(const std::string& form, Socket& peer, const std::string& command) {
  if (form == "frames") {
    const Completed done = run_shell(command, Pipe::open);
    FrameStream frames(peer);
    frames.send({{"code", done.return_code}, {"truncated", done.truncated}, {"stream", "stdout"}}, done.out);
    frames.send({{"code", done.return_code}, {"truncated", done.truncated}, {"stream", "stderr"}}, done.err);
    return;
  }
  Completed done = run_shell(command, Pipe::merged);
  // Without a header there is no room for a word about the answer but in the answer.
  if (done.truncated && form != "json") done.out.append(Bytes("\n[cut: there was more]\n"));
  if (form == "ready") {
    peer.send_all(std::to_string(done.out.size()));
    if (peer.recv(64) != "recv_ready") return;
  } else if (form == "length") {
    peer.send_all(pack<"i">(static_cast<int>(done.out.size())));
  } else if (form == "json") {
    const Json header{{"total_size", done.out.size()},
                      {"data_size", done.out.size()},
                      {"md5", md5(done.out)},
                      {"truncated", done.truncated}};
    const std::string text = header.dump();
    peer.send_all(pack<"i">(static_cast<int>(text.size())));
    peer.send_all(text);
  }
  peer.send_all(done.out);
}

int main(int argc, char** argv) try {
  const std::string form = argc == 3 ? argv[1] : "";
  if (form != "raw" && form != "ready" && form != "length" && form != "json" && form != "frames") {
    std::cerr << "usage: command_server raw|ready|length|json|frames PORT\n";
    return 2;
  }
  return run([&] {
    FiberTcpServer server({"127.0.0.1", argv[2]}, [&](Socket& peer) {
      while (Bytes command = peer.recv(1024)) answer(form, peer, command.str());
    });
    std::cout << "listening on " << server.address().str() << std::endl;
    server.serve_forever();
  });
} catch (const std::exception& error) {
  std::cerr << "command_server: " << error.what() << "\n";
  return 1;
}
