// Two ends of a TLS connection in one process, on fibers or on threads, and what tests put between them.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <hawser/fiber/run.h>
#include <hawser/fiber/task.h>
#include <hawser/net/socket.h>
#include <hawser/tls/certificate.h>
#include <hawser/tls/tls_stream.h>

namespace hawser::test {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = std::filesystem::temp_directory_path() / "hawser-tls-XXXXXX";
    if (!mkdtemp(name.data())) throw_errno("mkdtemp", name);
    path_ = name;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ / name; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// A certificate for localhost and 127.0.0.1, made once.
struct Identity {
  TemporaryFolder folder;
  std::string certificate = folder / "hub.crt";
  std::string key = folder / "hub.key";
  std::string fingerprint = generate_certificate({.names = {"localhost", "127.0.0.1"}}, certificate, key);
};

inline const Identity& identity() {
  static const Identity made;
  return made;
}

inline TlsContext server_context(std::vector<std::string> alpn = {}) {
  return TlsContext::server(
      {.certificate_file = identity().certificate, .key_file = identity().key, .alpn = std::move(alpn)});
}

inline TlsContext client_context(std::vector<std::string> alpn = {}) {
  return TlsContext::client({.pin = identity().fingerprint, .alpn = std::move(alpn)});
}

// A function on a fiber of its own, or on a thread when the caller is on one. join() rethrows what it threw.
class Aside {
 public:
  explicit Aside(std::function<void()> body) {
    if (in_fiber())
      task_ = spawn(std::move(body));
    else
      thread_ = std::thread([this, run = std::move(body)] {
        try {
          run();
        } catch (...) {
          error_ = std::current_exception();
        }
      });
  }
  Aside(const Aside&) = delete;
  ~Aside() {
    if (task_) static_cast<void>(task_->join());
    if (thread_.joinable()) thread_.join();
  }
  void join() {
    if (task_) task_->get();
    if (!thread_.joinable()) return;
    thread_.join();
    if (error_) std::rethrow_exception(error_);
  }

 private:
  std::optional<Task<void>> task_;
  std::thread thread_;
  std::exception_ptr error_;
};

struct Ends {
  std::unique_ptr<TlsStream> client;
  std::unique_ptr<TlsStream> server;
};

inline std::pair<std::unique_ptr<Stream>, std::unique_ptr<Stream>> plain_ends() {
  auto [a, b] = socketpair();
  return {std::make_unique<Socket>(std::move(a)), std::make_unique<Socket>(std::move(b))};
}

inline Ends tls_ends(std::pair<std::unique_ptr<Stream>, std::unique_ptr<Stream>> plain = plain_ends(),
                     const TlsContext& client = client_context(), const TlsContext& server = server_context()) {
  Ends ends;
  Aside accepting([&] { ends.server = std::make_unique<TlsStream>(std::move(plain.second), server); });
  ends.client = std::make_unique<TlsStream>(std::move(plain.first), client, "localhost");
  accepting.join();
  return ends;
}

// What each side's handshake ended with; empty when it worked.
struct Outcome {
  std::string client;
  std::string server;
};

inline Outcome shake_hands(const TlsContext& client, const TlsContext& server, const std::string& name = "localhost") {
  auto [a, b] = socketpair();
  Outcome outcome;
  Aside accepting([&, &peer = b] {
    try {
      TlsStream stream(peer, server);
      std::byte one{};
      static_cast<void>(stream.read_some({&one, 1}));  // TLS 1.3: the client's refusal may come after our handshake
    } catch (const TlsError& error) {
      outcome.server = error.what();
    }
  });
  try {
    TlsStream stream(a, client, name);
    stream.shutdown_write();
    std::byte one{};
    static_cast<void>(stream.read_some({&one, 1}));
  } catch (const TlsError& error) {
    outcome.client = error.what();
  }
  a.close();
  accepting.join();
  return outcome;
}

inline std::string read_exactly(Stream& stream, std::size_t size) {
  std::string text(size, '\0');
  std::size_t filled = 0;
  while (filled < size) {
    const std::size_t got = stream.read_some(std::as_writable_bytes(std::span(text)).subspan(filled));
    if (got == 0) break;
    filled += got;
  }
  text.resize(filled);
  return text;
}

inline std::string read_to_end(Stream& stream) {
  std::string text;
  std::vector<std::byte> buffer(64 * 1024);
  while (const std::size_t got = stream.read_some(buffer))
    text.append(reinterpret_cast<const char*>(buffer.data()), got);
  return text;
}

// Text that does not repeat within any window a test looks at.
inline std::string some_text(std::size_t size, std::uint64_t seed = 1) {
  std::string text(size, '\0');
  for (char& c : text) {
    seed = seed * 6364136223846793005U + 1442695040888963407U;
    c = static_cast<char>(seed >> 56);
  }
  return text;
}

enum class On { fibers, threads };

// Each test of a suite TEST_P(Name, ...) runs on fibers and on threads.
class OnBoth : public testing::TestWithParam<On> {
 protected:
  template <class Body>
  void run_here(Body&& body) {
    if (GetParam() == On::fibers)
      run([&] { body(); });
    else
      body();
  }
};

inline std::string name_of(const testing::TestParamInfo<On>& info) {
  return info.param == On::fibers ? "fibers" : "threads";
}

}  // namespace hawser::test
