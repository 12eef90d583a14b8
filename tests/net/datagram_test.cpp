#include <hawser/net/datagram.h>

#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include <hawser/fiber/deadline.h>
#include <hawser/fiber/run.h>
#include <hawser/net/socket.h>

#include "both_contexts.h"

namespace hawser {
namespace {

using namespace std::chrono_literals;

class datagram_in : public testing::BothContexts {};
HAWSER_IN_BOTH_CONTEXTS(datagram_in);

Socket udp(std::string_view host = "127.0.0.1") {
  const Address address = Address::ip(host, 0);
  Socket socket(address.family(), SOCK_DGRAM);
  socket.bind(address);
  return socket;
}

Address abstract_name(std::string_view role) {
  static std::atomic<int> count{0};
  return Address::unix_path("@hawser-datagram-" + std::string(role) + std::to_string(::getpid()) + "-" +
                            std::to_string(++count));
}

Socket unix_datagram(const Address& name) {
  Socket socket(AF_UNIX, SOCK_DGRAM);
  socket.bind(name);
  return socket;
}

TEST_P(datagram_in, carries_a_message_and_its_sender) {
  in_context([] {
    for (const char* host : {"127.0.0.1", "::1"}) {
      Socket client = udp(host), server = udp(host);
      EXPECT_EQ(client.send_to("question", server.sock_name()), 8U);
      const Datagram question = server.recv_from();
      EXPECT_EQ(question.data, "question");
      EXPECT_EQ(question.from, client.sock_name());
      EXPECT_EQ(question.length, 8U);
      EXPECT_FALSE(question.truncated);
      server.send_to("answer", question.from);
      EXPECT_EQ(client.recv_from().data, "answer");
    }
  });
}

TEST_P(datagram_in, empty_one_is_a_message) {
  in_context([] {
    Socket a = udp(), b = udp();
    EXPECT_EQ(a.send_to("", b.sock_name()), 0U);
    a.send_to("after", b.sock_name());
    const Datagram empty = b.recv_from();
    EXPECT_TRUE(empty.data.empty());
    EXPECT_EQ(empty.from, a.sock_name());
    EXPECT_FALSE(empty.truncated);
    EXPECT_EQ(b.recv_from().data, "after");
    // On a connected socket by every sending call.
    a.connect(b.sock_name());
    EXPECT_EQ(a.send(""), 0U);
    a.send_all("");
    a.send_all(std::span<const BytesView>());
    EXPECT_EQ(a.try_send(""), 0U);
    for (int i = 0; i < 4; ++i) EXPECT_EQ(b.try_recv_from().value().length, 0U) << i;
    EXPECT_FALSE(b.try_recv_from());
  });
}

TEST_P(datagram_in, that_was_cut_says_so) {
  in_context([] {
    auto [c, d] = socketpair(SOCK_DGRAM);
    Socket a = udp(), b = udp();
    a.connect(b.sock_name());
    const std::pair<Socket*, Socket*> pairs[] = {{&a, &b}, {&c, &d}};
    for (auto [from, to] : pairs) {
      for (int i = 0; i < 5; ++i) from->send("0123456789");
      from->send("next");
      const Datagram cut = to->recv_from(4);
      EXPECT_EQ(cut.data, "0123");
      EXPECT_TRUE(cut.truncated);
      EXPECT_EQ(cut.length, 10U);
      std::byte memory[3];
      const ReceivedDatagram into = to->recv_from_into(memory);
      EXPECT_TRUE(into.truncated);
      EXPECT_EQ(into.size, 3U);
      EXPECT_EQ(into.length, 10U);
      EXPECT_TRUE(to->try_recv_from(9).value().truncated);
      EXPECT_FALSE(to->recv_from(10).truncated);
      try {
        to->recv(9);  // can't tell otherwise
        FAIL();
      } catch (const SystemError& error) {
        EXPECT_EQ(error.error_number(), EMSGSIZE);
        EXPECT_NE(std::string(error.what()).find("10 bytes came where at most 9 fit"), std::string::npos)
            << error.what();
      }
      EXPECT_EQ(to->recv(100), "next");
    }
  });
}

TEST_P(datagram_in, that_is_too_large_names_the_limit) {
  in_context([] {
    for (const bool v4 : {true, false}) {
      Socket a = udp(v4 ? "127.0.0.1" : "::1"), b = udp(v4 ? "127.0.0.1" : "::1");
      const std::size_t limit = v4 ? kUdpPayloadLimit : kUdpV6PayloadLimit;
      EXPECT_EQ(a.send_to(std::string(limit, 'x'), b.sock_name()), limit);
      EXPECT_EQ(b.recv_from().data.size(), limit);
      try {
        a.send_to(std::string(limit + 1, 'x'), b.sock_name());
        FAIL();
      } catch (const SystemError& error) {
        EXPECT_EQ(error.error_number(), EMSGSIZE);
        EXPECT_NE(std::string(error.what()).find("at most " + std::to_string(limit)), std::string::npos)
            << error.what();
      }
      EXPECT_THROW(a.try_send_to(std::string(limit + 1, 'x'), b.sock_name()), SystemError);
    }
    Socket mapped(AF_INET6, SOCK_DGRAM), plain(AF_INET, SOCK_DGRAM), receiver = udp();
    mapped.connect(Address::ip("::ffff:127.0.0.1", receiver.sock_name().port()));
    plain.connect(receiver.sock_name());
    for (Socket* const socket : {&mapped, &plain}) {
      const std::string much(kUdpPayloadLimit + 3, 'x');
      for (const auto& send :
           std::vector<std::function<void()>>{[&] { socket->send(much); }, [&] { socket->send_all(much); },
                                              [&] { static_cast<void>(socket->try_send(much)); }}) {
        try {
          send();
          FAIL();
        } catch (const SystemError& error) {
          EXPECT_EQ(error.error_number(), EMSGSIZE);
          EXPECT_NE(std::string(error.what()).find("UDP over IPv4 carries at most 65507"), std::string::npos)
              << error.what();
        }
      }
    }
    auto [c, d] = socketpair(SOCK_DGRAM);
    try {
      c.send(std::string(50 << 20, 'x'));
      FAIL();
    } catch (const SystemError& error) {
      EXPECT_EQ(error.error_number(), EMSGSIZE);
      const std::string words = error.what();
      const std::size_t limit = std::stoul(words.substr(words.find("at most ") + 8));
      EXPECT_EQ(c.send(std::string(limit, 'x')), limit) << words;
      EXPECT_EQ(d.recv(limit).size(), limit);
      EXPECT_THROW(c.send(std::string(limit + 1, 'x')), SystemError);
    }
  });
}

TEST_P(datagram_in, nobody_there_is_no_error_for_a_sender_that_is_not_connected) {
  in_context([] {
    const Address nobody = udp().sock_name();
    Socket sender = udp();
    for (int i = 0; i < 3; ++i) EXPECT_EQ(sender.send_to("x", nobody), 1U);
    EXPECT_FALSE(sender.try_recv_from());
    // A connected one hears what the other host says.
    sender.connect(nobody);
    sender.send("x");
    EXPECT_THROW(sender.recv(1), SystemError);
    // A UNIX name that nobody has is an error at once.
    EXPECT_THROW(Socket(AF_UNIX, SOCK_DGRAM).send_to("x", abstract_name("nobody")), SystemError);
  });
}

TEST_P(datagram_in, many_clients_share_one_socket) {
  in_context([this] {
    Socket server = udp();
    constexpr int kClients = 20, kRounds = 20;
    auto answering = peer([&server] {
      for (int i = 0; i < kClients * kRounds; ++i) {
        const Datagram d = server.recv_from();
        server.send_to(d.data.str() + "!", d.from);
      }
    });
    std::vector<Socket> clients;
    for (int i = 0; i < kClients; ++i) clients.push_back(udp());
    for (int round = 0; round < kRounds; ++round) {
      for (int i = 0; i < kClients; ++i) clients[i].send_to(std::to_string(i * 1000 + round), server.sock_name());
      for (int i = 0; i < kClients; ++i) {
        EXPECT_EQ(clients[i].recv_from().data.str(), std::to_string(i * 1000 + round) + "!");
      }
    }
    answering.get();
  });
}

TEST_P(datagram_in, waits_end_in_their_own_ways) {
  in_context([this] {
    Socket socket = udp();
    socket.set_timeout(1ms);
    EXPECT_THROW(socket.recv_from(), SocketTimeout);
    socket.set_blocking(false);
    EXPECT_THROW(socket.recv_from(), WouldBlock);
    EXPECT_FALSE(socket.try_recv_from());
    EXPECT_FALSE(socket.try_recv(10));
    socket.set_blocking(true);
    {
      const Deadline budget(1ms);
      EXPECT_THROW(socket.recv_from(), DeadlineExceeded);
    }
    auto reader = peer([&socket] { socket.recv_from(); });
    yield();
    socket.close();
    EXPECT_THROW(reader.get(), SocketClosed);
    EXPECT_THROW(socket.send_to("x", Address::ip("127.0.0.1", 9)), SocketClosed);
  });
}

// recv(2) says EAGAIN there, and poll(2) that there is something to read, for ever.
TEST_P(datagram_in, after_a_shutdown_what_is_there_comes_and_then_empty_ones) {
  in_context([this] {
    const Address name = abstract_name("shut");
    std::pair<Socket, Socket> ends[] = {{udp(), udp()}, {unix_datagram(name), unix_datagram(abstract_name("other"))}};
    for (auto& [a, b] : ends) {
      a.set_timeout(20s);
      b.send_to("kept", a.sock_name());
      a.connect(b.sock_name());
      a.shutdown(Shutdown::read);
      EXPECT_EQ(a.recv(10), "kept");
      EXPECT_EQ(a.recv(10), "");
      const Datagram none = a.recv_from();
      EXPECT_EQ(none.data, "");
      EXPECT_EQ(none.from.family(), AF_UNSPEC);
    }
    Socket waiting = udp();
    auto reader = peer([&] { EXPECT_EQ(waiting.recv_from().data, ""); });
    sleep(5ms);
    EXPECT_THROW(waiting.shutdown(), SystemError);  // it was never connected; the kernel does it all the same
    reader.get();
    DatagramBatch batch;
    EXPECT_EQ(waiting.receive_many(batch), 0U);
  });
}

// An error that lies in a queue which nobody reads (IP_RECVERR) makes poll(2) report it for ever.
TEST_P(datagram_in, what_is_reported_in_vain_holds_up_neither_timeout_nor_deadline) {
  in_context([] {
    Socket server = udp(), client = udp();
    client.connect(server.sock_name());
    const int on = 1;
    ASSERT_EQ(::setsockopt(client.fileno(), IPPROTO_IP, IP_RECVERR, &on, sizeof on), 0);
    server.close();
    client.send("to nobody");
    EXPECT_THROW(client.recv(10), SystemError);  // ECONNREFUSED; what it was about stays in the queue
    client.set_timeout(20ms);
    EXPECT_THROW(client.recv(10), SocketTimeout);
    client.set_timeout(std::nullopt);
    const Deadline budget(20ms);
    EXPECT_THROW(client.recv(10), DeadlineExceeded);
  });
}

TEST_P(datagram_in, unix_names_its_sender_and_waits_for_a_full_receiver) {
  in_context([this] {
    const Address server_name = abstract_name("server"), client_name = abstract_name("client");
    Socket server = unix_datagram(server_name), client = unix_datagram(client_name);
    constexpr int kCount = 5000;
    auto sending = peer([&] {
      for (int i = 0; i < kCount; ++i) client.send_to(std::to_string(i), server_name);
    });
    for (int i = 0; i < kCount; ++i) {
      const Datagram d = server.recv_from();
      ASSERT_EQ(d.data.str(), std::to_string(i));
      ASSERT_EQ(d.from, client_name);
    }
    sending.get();
    Socket nameless(AF_UNIX, SOCK_DGRAM);
    nameless.send_to("x", server_name);
    EXPECT_EQ(server.recv_from().from, Address());
    // Full, and nobody reads.
    while (client.try_send_to("x", server_name)) {
    }
    client.set_timeout(3ms);
    EXPECT_THROW(client.send_to("x", server_name), SocketTimeout);
    client.set_blocking(false);
    EXPECT_THROW(client.send_to("x", server_name), WouldBlock);
  });
}

TEST_P(datagram_in, connected_unix_sender_waits_for_a_full_receiver) {
  in_context([this] {
    auto [a, b] = socketpair(SOCK_DGRAM);
    constexpr int kCount = 5000;
    auto sending = peer([&a = a] {
      for (int i = 0; i < kCount; ++i) a.send_all(std::to_string(i));
    });
    for (int i = 0; i < kCount; ++i) ASSERT_EQ(b.recv(100).str(), std::to_string(i));
    sending.get();
  });
}

TEST_P(datagram_in, parts_become_one) {
  in_context([] {
    auto [a, b] = socketpair(SOCK_DGRAM);
    for (const std::size_t count : {2U, 16U, 17U, 2000U}) {
      const std::vector<BytesView> parts(count, "ab");
      a.send_all(parts);
      EXPECT_EQ(b.recv(1 << 16).size(), 2 * count);
    }
  });
}

TEST_P(datagram_in, sequenced_packets_keep_their_borders) {
  in_context([] {
    auto [a, b] = socketpair(SOCK_SEQPACKET);
    a.send_all("one");
    a.send_all("two");
    EXPECT_EQ(b.recv(100), "one");
    EXPECT_TRUE(b.recv_from(2).truncated);
    a.close();
    EXPECT_TRUE(b.recv(100).empty());
  });
}

TEST_P(datagram_in, large_ones_go_through_any_receiving_call) {
  in_context([] {
    auto [a, b] = socketpair(SOCK_DGRAM);
    const std::string data(150'000, 'x');
    for (int i = 0; i < 3; ++i) {
      a.send(data);
      const Bytes got = i == 0 ? b.recv(200'000) : i == 1 ? b.try_recv(200'000).value() : b.recv_from(1 << 20).data;
      EXPECT_EQ(got.str() == data, true) << i;
    }
  });
}

class datagram_batch_in : public testing::BothContexts {};
HAWSER_IN_BOTH_CONTEXTS(datagram_batch_in);

TEST_P(datagram_batch_in, carries_many_a_call) {
  in_context([] {
    Socket a = udp(), b = udp();
    std::vector<std::string> texts;
    for (int i = 0; i < 150; ++i) texts.push_back(std::string(static_cast<std::size_t>(i), 'x'));
    std::vector<OutgoingDatagram> out;
    const Address to = b.sock_name();
    for (const std::string& text : texts) out.push_back({text, to});
    EXPECT_EQ(a.send_many(out), 150U);
    DatagramBatch batch(40, 100);
    EXPECT_EQ(batch.size(), 0U);
    for (std::size_t seen = 0; seen < 150;) {
      const std::size_t count = b.receive_many(batch);
      EXPECT_EQ(count, std::min<std::size_t>(40, 150 - seen));
      EXPECT_EQ(batch.size(), count);
      for (const DatagramView& view : batch) {
        EXPECT_EQ(view.length, seen);
        EXPECT_EQ(view.data.size(), std::min<std::size_t>(seen, 100));
        EXPECT_EQ(view.truncated, seen > 100);
        EXPECT_EQ(view.from, a.sock_name());
        ++seen;
      }
    }
    EXPECT_THROW(DatagramBatch(0, 1), std::invalid_argument);
  });
}

TEST_P(datagram_batch_in, waits_for_the_first_and_takes_what_is_there) {
  in_context([this] {
    Socket a = udp(), b = udp();
    a.connect(b.sock_name());
    auto reader = peer([&b] {
      DatagramBatch batch;
      std::size_t got = 0;
      while (got < 3) got += b.receive_many(batch);
      EXPECT_EQ(got, 3U);
    });
    yield();
    const OutgoingDatagram three[] = {{"one", {}}, {"two", {}}, {"three", {}}};
    EXPECT_EQ(a.send_many(three), 3U);
    reader.get();
    b.set_timeout(1ms);
    DatagramBatch batch;
    EXPECT_THROW(b.receive_many(batch), SocketTimeout);
    EXPECT_EQ(a.send_many({}), 0U);
  });
}

TEST_P(datagram_batch_in, refused_one_stops_the_row_and_is_named_next) {
  in_context([] {
    Socket a = udp(), b = udp();
    const std::string large(kUdpPayloadLimit + 1, 'x');
    const Address to = b.sock_name();
    const std::vector<OutgoingDatagram> out{{"one", to}, {"two", to}, {large, to}, {"four", to}};
    EXPECT_EQ(a.send_many(out), 2U);
    try {
      a.send_many(std::span(out).subspan(2));
      FAIL();
    } catch (const SystemError& error) {
      EXPECT_EQ(error.error_number(), EMSGSIZE);
    }
    EXPECT_EQ(a.send_many(std::span(out).subspan(3)), 1U);
  });
}

TEST_P(datagram_batch_in, waits_for_a_full_receiver) {
  in_context([this] {
    const Address name = abstract_name("batch");
    Socket server = unix_datagram(name);
    const std::vector<OutgoingDatagram> out(3000, {"x", name});
    auto sending = peer([&] { EXPECT_EQ(Socket(AF_UNIX, SOCK_DGRAM).send_many(out), out.size()); });
    DatagramBatch batch;
    for (std::size_t seen = 0; seen < out.size();) seen += server.receive_many(batch);
    sending.get();
  });
}

TEST(datagram_cancellation, ends_a_wait_and_loses_nothing) {
  run([] {
    Socket socket = udp();
    auto reader = spawn([&socket] { socket.recv_from(); });
    yield();
    reader.kill();
    EXPECT_THROW(reader.get(), Cancelled);
    socket.send_to("kept", socket.sock_name());
    EXPECT_EQ(socket.recv_from().data, "kept");
  });
}

}  // namespace
}  // namespace hawser
