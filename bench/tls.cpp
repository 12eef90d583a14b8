// TLS between two threads over a socket pair: what one direction carries, out of memory and out of a file, and what a
// handshake costs. The disk has no part in it.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <thread>
#include <vector>

#include <hawser/base/fd.h>
#include <hawser/net/socket.h>
#include <hawser/tls/certificate.h>
#include <hawser/tls/tls_stream.h>

#include "stopwatch.h"

using namespace hawser;

namespace {

struct Contexts {
  TlsContext server;
  TlsContext client;
};

Contexts make_contexts() {
  std::string folder = "/tmp/hawser-bench-XXXXXX";
  if (!::mkdtemp(folder.data())) throw_errno("mkdtemp", folder);
  const std::string certificate = folder + "/crt", key = folder + "/key";
  const std::string pin = generate_certificate({.names = {"localhost"}}, certificate, key);
  Contexts made{TlsContext::server({.certificate_file = certificate, .key_file = key}),
                TlsContext::client({.pin = pin})};
  ::unlink(certificate.c_str());
  ::unlink(key.c_str());
  ::rmdir(folder.c_str());
  return made;
}

template <class Send>
void one_way(const Contexts& contexts, const char* what, std::uint64_t total, Send&& send) {
  auto [a, b] = socketpair();
  std::thread receiver([&, &peer = b] {
    TlsStream stream(peer, contexts.server);
    const auto buffer = std::make_unique<std::byte[]>(256 * 1024);
    std::uint64_t got = 0;
    while (const std::size_t size = stream.read_some({buffer.get(), 256 * 1024})) got += size;
    if (got != total) std::abort();
    stream.write_all("done");
  });
  TlsStream stream(a, contexts.client, "localhost");
  const Stopwatch watch;
  send(stream);
  stream.shutdown_write();
  std::byte one{};
  static_cast<void>(stream.read_some({&one, 1}));
  std::printf("TLS, one way, GB/s\t%s\t%.2f\n", what, static_cast<double>(total) / 1e9 / watch.seconds());
  receiver.join();
}

void handshakes(const Contexts& contexts) {
  const long count = steps(500);
  const Stopwatch watch;
  for (long i = 0; i < count; ++i) {
    auto [a, b] = socketpair();
    std::thread accepting([&, &peer = b] { const TlsStream stream(peer, contexts.server); });
    { const TlsStream stream(a, contexts.client, "localhost"); }
    accepting.join();
  }
  watch.report("TLS handshake, both sides", "hawser", count);
}

}  // namespace

int main() {
  const std::uint64_t total = steps(2L << 10) << 20;
  const Contexts contexts = make_contexts();
  const std::vector<std::byte> block(1 << 20);
  one_way(contexts, "write_all of 1 MiB", total, [&](Stream& stream) {
    for (std::uint64_t sent = 0; sent < total; sent += block.size())
      stream.write_all(std::span<const std::byte>(block));
  });
  const UniqueFd file(::memfd_create("bench", MFD_CLOEXEC));
  for (int i = 0; i < 256; ++i)
    if (::write(file.get(), block.data(), block.size()) < 0) throw_errno("write", "memfd");
  one_way(contexts, "send_file out of memory", total, [&](Stream& stream) {
    for (int i = 0; i < 8; ++i) stream.send_file(file.get(), 0, total / 8);
  });
  handshakes(contexts);
}
