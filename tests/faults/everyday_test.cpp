// Whole conversations while the system calls below them are interrupted, find nothing, or do less than asked: nobody
// above may notice, and not a byte may be lost.
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>

#include <hawser/fiber/offload.h>
#include <hawser/fiber/task_group.h>
#include <hawser/net/connect.h>
#include <hawser/net/listener.h>
#include <hawser/process/run_command.h>
#include <hawser/serve/tcp_servers.h>
#include <hawser/wire/frame_stream.h>

#include "weather.h"

namespace hawser {
namespace {

using namespace testing;

class Everyday : public Weather {};
HAWSER_IN_BOTH_CONTEXTS(Everyday);

// A file with that content, gone when closed.
UniqueFd file_with(const std::string& content) {
  std::string name = std::filesystem::temp_directory_path() / "hawser-faults-XXXXXX";
  UniqueFd fd(::mkostemp(name.data(), O_CLOEXEC));
  ::unlink(name.c_str());
  EXPECT_EQ(::write(fd.get(), content.data(), content.size()), static_cast<ssize_t>(content.size()));
  return fd;
}

void echo(Stream& peer) {
  std::string chunk(5000, '\0');
  while (const std::size_t got = peer.read_some(std::as_writable_bytes(std::span(chunk)))) {
    peer.write_all(BytesView(chunk).first(got));
  }
}

TEST_P(Everyday, echo_over_tcp) {
  in_place([] {
    Listener listener({"127.0.0.1", 0});
    for (int round = 0; round < kRounds; ++round) {
      const FaultInjection faults(HAWSER_EVERYDAY_FAULTS, static_cast<std::uint64_t>(round));
      auto server = beside([&] {
        Socket peer = listener.accept();
        echo(peer);
      });
      Socket client = connect(listener.address());
      const std::string sent = pattern(60'000, static_cast<unsigned>(round));
      auto writer = beside([&] {
        client.send_all(sent);
        client.shutdown_write();
      });
      EXPECT_EQ(read_to_end(client), sent);
      writer.get();
      server.get();
      EXPECT_GT(faults.struck(), 0U);
    }
  });
}

TEST_P(Everyday, echo_over_unix_sockets_with_gathered_parts) {
  in_place([] {
    for (int round = 0; round < kRounds; ++round) {
      const FaultInjection faults(HAWSER_EVERYDAY_FAULTS, static_cast<std::uint64_t>(round));
      auto [client, peer] = socketpair();
      auto server = beside([&, &end = peer] {
        echo(end);
        end.shutdown_write();
      });
      const std::string sent = pattern(40'000, static_cast<unsigned>(round));
      auto writer = beside([&, &end = client] {
        std::vector<BytesView> parts;
        for (std::size_t at = 0; at < sent.size(); at += 1000) parts.push_back(BytesView(sent).from(at).first(1000));
        end.send_all(parts);
        end.shutdown_write();
      });
      EXPECT_EQ(read_to_end(client), sent);
      writer.get();
      server.get();
    }
  });
}

TEST_P(Everyday, frames_with_bodies_of_all_sizes) {
  in_place([] {
    for (int round = 0; round < kRounds; ++round) {
      const FaultInjection faults(HAWSER_EVERYDAY_FAULTS, static_cast<std::uint64_t>(round));
      auto [client, peer] = socketpair();
      constexpr int kFrames = 30;
      auto server = beside([&, &end = peer] {
        FrameStream frames(end);
        while (Frame frame = frames.receive()) {
          const Bytes body = frames.read_body_all(1 << 20);
          frames.send(frame.header(), body);
        }
        end.close();
      });
      FrameStream frames(client);
      for (int i = 0; i < kFrames; ++i) {
        const std::string body = pattern(static_cast<std::size_t>(i) * 977, static_cast<unsigned>(i));
        auto writer = beside([&] { frames.send({{"n", i}}, body); });
        Frame answer = frames.receive();
        EXPECT_EQ(answer["n"].as_int64(), i);
        EXPECT_EQ(frames.read_body_all(1 << 20).view(), body);
        writer.get();
      }
      client.shutdown_write();
      server.get();
    }
  });
}

TEST_P(Everyday, files_by_send_file) {
  const std::string content = pattern(700'000);
  const UniqueFd file = file_with(content);
  std::uint64_t struck = 0;
  in_place([&] {
    for (int round = 0; round < kRounds; ++round) {
      const FaultInjection faults(HAWSER_EVERYDAY_FAULTS, static_cast<std::uint64_t>(round));
      auto [client, peer] = socketpair();
      auto server = beside([&, &end = peer] {
        EXPECT_EQ(end.send_file(file.get(), 1, content.size() - 1), content.size() - 1);
        end.close();
      });
      EXPECT_TRUE(read_to_end(client) == content.substr(1));
      server.get();
      struck += faults.struck(SystemCall::sendfile);
    }
  });
  EXPECT_GT(struck, 0U);
}

TEST_P(Everyday, tls_with_a_file_in_it) {
  std::string folder = std::filesystem::temp_directory_path() / "hawser-faults-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const std::string pin = generate_certificate({.names = {"localhost"}}, folder + "/x.crt", folder + "/x.key");
  const TlsContext server_side =
      TlsContext::server({.certificate_file = folder + "/x.crt", .key_file = folder + "/x.key", .alpn = {}});
  const TlsContext client_side = TlsContext::client({.pin = pin, .alpn = {}});
  std::filesystem::remove_all(folder);
  const std::string content = pattern(300'000);
  const UniqueFd file = file_with(content);
  in_place([&] {
    for (int round = 0; round < kRounds; ++round) {
      const FaultInjection faults(HAWSER_EVERYDAY_FAULTS, static_cast<std::uint64_t>(round));
      auto [a, b] = socketpair();
      auto server = beside([&, &end = b] {
        TlsStream stream(end, server_side);
        std::string asked(7, '\0');
        std::size_t filled = 0;
        while (filled < asked.size()) {
          const std::size_t got = stream.read_some(std::as_writable_bytes(std::span(asked)).subspan(filled));
          ASSERT_GT(got, 0U);
          filled += got;
        }
        EXPECT_EQ(asked, "get it!");
        stream.send_file(file.get(), 0, content.size());
        stream.shutdown_write();
        EXPECT_EQ(read_to_end(stream), "thanks");
      });
      TlsStream stream(a, client_side, "localhost");
      stream.write_all("get it!");
      EXPECT_TRUE(read_to_end(stream) == content);
      stream.write_all("thanks");
      stream.shutdown_write();
      server.get();
    }
  });
}

TEST_P(Everyday, commands_with_pipes_at_both_ends) {
  in_place([] {
    for (int round = 0; round < kRounds / 2; ++round) {
      const FaultInjection faults(HAWSER_EVERYDAY_FAULTS, static_cast<std::uint64_t>(round));
      const std::string sent = pattern(200'000, static_cast<unsigned>(round));
      const Completed done = run_command({"cat"}, {.capture = true, .input = Bytes(sent)});
      EXPECT_EQ(done.return_code, 0);
      EXPECT_TRUE(done.out.view() == sent);
      EXPECT_GT(faults.struck(), 0U);
    }
  });
}

TEST_P(Everyday, a_server_with_many_clients_at_once) {
  if (GetParam() == ContextKind::thread) {  // the server is made of fibers; here its clients are threads
    run([] {
      FiberTcpServer server({"127.0.0.1", 0}, [](Socket& peer) { echo(peer); });
      auto serving = spawn([&] { server.serve_forever(); });
      {
        const FaultInjection faults(HAWSER_EVERYDAY_FAULTS, 3);
        std::vector<std::thread> clients;
        for (unsigned i = 0; i < 10; ++i) {
          clients.emplace_back([&, i] {
            Socket client = connect(server.address());
            const std::string sent = pattern(3000, i);
            client.send_all(sent);
            client.shutdown_write();
            EXPECT_EQ(read_to_end(client), sent);
          });
        }
        for (std::thread& client : clients) offload([&] { client.join(); });
      }
      server.request_stop();
      serving.get();
    });
    return;
  }
  in_place([] {
    FiberTcpServer server({"127.0.0.1", 0}, [](Socket& peer) { echo(peer); });
    auto serving = spawn([&] { server.serve_forever(); });
    for (int round = 0; round < kRounds / 4; ++round) {
      const FaultInjection faults(HAWSER_EVERYDAY_FAULTS, static_cast<std::uint64_t>(round));
      TaskGroup clients;
      for (unsigned i = 0; i < 50; ++i) {
        clients.spawn([&, i] {
          Socket client = connect(server.address());
          const std::string sent = pattern(2000, i);
          client.send_all(sent);
          client.shutdown_write();
          EXPECT_EQ(read_to_end(client), sent);
        });
      }
      clients.join();
    }
    server.request_stop();
    serving.get();
  });
}

TEST_P(Everyday, leaves_no_descriptor_behind) {
  const auto converse = [] {
    Listener listener({"127.0.0.1", 0});
    auto server = beside([&] {
      Socket peer = listener.accept();
      echo(peer);
    });
    Socket client = connect(listener.address());
    client.send_all("hello");
    client.shutdown_write();
    EXPECT_EQ(read_to_end(client), "hello");
    server.get();
    EXPECT_EQ(run_command({"echo", "x"}, {.capture = true}).out, "x\n");
  };
  std::size_t before = 0;
  for (int round = 0; round < kRounds; ++round) {
    const FaultInjection faults(HAWSER_EVERYDAY_FAULTS, static_cast<std::uint64_t>(round));
    in_place(converse);
    if (round == 1) before = open_descriptors();  // by now the runtime has what it keeps
  }
  EXPECT_EQ(open_descriptors(), before);
}

}  // namespace
}  // namespace hawser
