// Bytes over TLS: both ways at once, in records, to the end, and through interruptions.
#include <hawser/tls/tls_stream.h>

#include <gtest/gtest.h>
#include <malloc.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <numeric>
#include <stdexcept>
#include <thread>

#include <hawser/base/errors.h>
#include <hawser/base/fd.h>
#include <hawser/base/sigpipe.h>
#include <hawser/fiber/deadline.h>
#include <hawser/sync/queue.h>
#include <hawser/tls/openssl.h>

#include "net/lent_memory.h"
#include "tls/tls_ends.h"
#include "tls/watched_stream.h"

using namespace hawser;
using namespace hawser::test;
using namespace std::chrono_literals;

namespace {

class Tls : public OnBoth {};
INSTANTIATE_TEST_SUITE_P(, Tls, testing::Values(On::fibers, On::threads), name_of);

class Sha256 {
 public:
  Sha256() { EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr); }
  void add(std::string_view bytes) { EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()); }
  std::string value() {
    std::string digest(32, '\0');
    EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(digest.data()), nullptr);
    return digest;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_{EVP_MD_CTX_new(), &EVP_MD_CTX_free};
};

// A client that asks for new keys (RFC 8446, 4.6.3) before each byte that it sends.
class AskingForKeys {
 public:
  AskingForKeys() {
    hawser::detail::ignore_sigpipe_once();
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) throw_errno("socketpair", "");
    socket_.reset(ends[0]);
    end_ = std::make_unique<Socket>(UniqueFd(ends[1]));
    thread_ = std::thread([this] { serve(); });
  }
  AskingForKeys(const AskingForKeys&) = delete;
  ~AskingForKeys() {
    finish();
    thread_.join();
  }
  [[nodiscard]] std::unique_ptr<Stream> end() { return std::move(end_); }
  void ask(int times) { wanted_.put(times); }
  void finish() { wanted_.shutdown(); }

 private:
  void serve() {
    const hawser::detail::SslContext context(SSL_CTX_new(TLS_client_method()));
    const hawser::detail::Ssl ssl(SSL_new(context.get()));
    SSL_set_fd(ssl.get(), socket_.get());
    if (SSL_connect(ssl.get()) != 1) return;
    try {
      for (;;) {
        for (int left = wanted_.get(); left > 0; --left) {
          if (SSL_key_update(ssl.get(), SSL_KEY_UPDATE_REQUESTED) != 1 || SSL_write(ssl.get(), "x", 1) != 1) return;
        }
      }
    } catch (const ShutDown&) {
      SSL_shutdown(ssl.get());
    }
  }

  std::unique_ptr<Stream> end_;
  UniqueFd socket_;
  Queue<int> wanted_;
  std::thread thread_;
};

std::string send_hashed(Stream& to, std::size_t total, std::uint64_t seed) {
  Sha256 hash;
  const std::string block = some_text(1 << 20, seed);
  for (std::size_t sent = 0, size = 1; sent < total; sent += size) {
    size = std::min({size * 3 % (1 << 20) + 1, total - sent});
    const std::string_view piece = std::string_view(block).substr(0, size);
    hash.add(piece);
    to.write_all(piece);
  }
  to.shutdown_write();
  return hash.value();
}

std::string receive_hashed(Stream& from, std::size_t& total) {
  Sha256 hash;
  std::vector<std::byte> buffer(100'000);
  while (const std::size_t got = from.read_some(buffer)) {
    hash.add({reinterpret_cast<const char*>(buffer.data()), got});
    total += got;
  }
  return hash.value();
}

template <class Error, class Call>
std::string error_of(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

}  // namespace

TEST_P(Tls, a_message_goes_each_way) {
  run_here([] {
    const Ends ends = tls_ends();
    ends.client->write_all("hello");
    EXPECT_EQ(read_exactly(*ends.server, 5), "hello");
    ends.server->write_all("world");
    EXPECT_EQ(read_exactly(*ends.client, 5), "world");
  });
}

TEST_P(Tls, a_hundred_megabytes_cross_both_ways_at_once) {
  run_here([] {
    constexpr std::size_t kTotal = 100'000'000;
    const Ends ends = tls_ends();
    std::string client_sent, server_sent, client_got, server_got;
    std::size_t client_total = 0, server_total = 0;
    {
      Aside a([&] { client_sent = send_hashed(*ends.client, kTotal, 1); });
      Aside b([&] { server_sent = send_hashed(*ends.server, kTotal, 2); });
      Aside c([&] { client_got = receive_hashed(*ends.client, client_total); });
      Aside d([&] { server_got = receive_hashed(*ends.server, server_total); });
      a.join(), b.join(), c.join(), d.join();
    }
    EXPECT_EQ(server_total, kTotal);
    EXPECT_EQ(client_total, kTotal);
    EXPECT_EQ(server_got, client_sent);
    EXPECT_EQ(client_got, server_sent);
  });
}

TEST_P(Tls, a_writer_that_waits_for_the_peer_does_not_hold_up_the_reader) {
  run_here([] {
    const Ends ends = tls_ends();
    const std::string large = some_text(8 << 20);
    Aside stuck([&] { ends.client->write_all(large); });
    for (int i = 0; i < 100; ++i) {
      ends.server->write_all("ping");
      EXPECT_EQ(read_exactly(*ends.client, 4), "ping");
    }
    EXPECT_EQ(read_exactly(*ends.server, large.size()), large);
    stuck.join();
  });
}

TEST_P(Tls, a_reader_that_waits_for_the_peer_does_not_hold_up_the_writer) {
  run_here([] {
    const Ends ends = tls_ends();
    std::string got;
    Aside waiting([&] { got = read_exactly(*ends.client, 3); });
    const std::string large = some_text(2 << 20);
    Aside writing([&] { ends.client->write_all(large); });
    EXPECT_EQ(read_exactly(*ends.server, large.size()), large);
    writing.join();
    ends.server->write_all("end");
    waiting.join();
    EXPECT_EQ(got, "end");
  });
}

TEST_P(Tls, parts_share_full_records) {
  run_here([] {
    auto plain = plain_ends();
    auto watched = std::make_unique<WatchedStream>(std::move(plain.first));
    WatchedStream& wire = *watched;
    const Ends ends = tls_ends({std::move(watched), std::move(plain.second)});
    const std::string text = some_text(100'000);
    std::vector<BytesView> parts;
    for (std::size_t at = 0; at < text.size(); at += 100) {
      parts.emplace_back(std::string_view(text).substr(at, 100));
      parts.emplace_back();
    }
    const std::size_t before = wire.written.size();
    const std::size_t calls = wire.offered.size();
    std::string got;
    Aside reading([&] { got = read_exactly(*ends.server, text.size()); });
    ends.client->write_all(parts);
    reading.join();
    EXPECT_EQ(got, text);
    EXPECT_EQ(wire.records(before).size(), 7U);  // 100,000 / 16,384, rounded up
    EXPECT_EQ(wire.offered.at(calls), wire.written.size() - before) << "not offered to the stream below in one call";
  });
}

TEST_P(Tls, a_header_and_a_large_body_make_full_records) {
  run_here([] {
    auto plain = plain_ends();
    auto watched = std::make_unique<WatchedStream>(std::move(plain.first));
    WatchedStream& wire = *watched;
    const Ends ends = tls_ends({std::move(watched), std::move(plain.second)});
    const std::string header = some_text(77, 1), body = some_text(1'000'000, 2), tail = some_text(33, 3);
    const std::size_t before = wire.written.size();
    const std::size_t calls = wire.offered.size();
    std::string got;
    Aside reading([&] { got = read_exactly(*ends.server, header.size() + body.size() + tail.size()); });
    ends.client->write_all(std::vector<BytesView>{header, body, tail});
    reading.join();
    EXPECT_EQ(got, header + body + tail);
    EXPECT_EQ(wire.records(before).size(), (got.size() + 16383) / 16384);
    EXPECT_GT(wire.offered.at(calls), 240'000U) << "large writes go down in large pieces";
  });
}

TEST_P(Tls, write_some_tells_how_much_it_took) {
  run_here([] {
    const Ends ends = tls_ends();
    const std::string text = some_text(1 << 20);
    std::size_t taken = 0;
    std::string got;
    Aside reading([&] { got = read_to_end(*ends.server); });
    taken = ends.client->write_some(text);
    ends.client->shutdown_write();
    reading.join();
    EXPECT_GT(taken, 0U);
    EXPECT_EQ(got, text.substr(0, taken));
    EXPECT_EQ(ends.server->write_some({}), 0U);
  });
}

TEST_P(Tls, one_read_takes_many_small_records) {
  run_here([] {
    const Ends ends = tls_ends();
    for (int i = 0; i < 20; ++i) ends.client->write_all("0123456789");
    std::string text(1000, '\0');
    EXPECT_EQ(ends.server->read_some(std::as_writable_bytes(std::span(text))), 200U);
  });
}

TEST_P(Tls, has_buffered_shows_what_has_been_read_but_not_taken) {
  run_here([] {
    const Ends ends = tls_ends();
    EXPECT_FALSE(ends.server->has_buffered());
    ends.client->write_all("one");
    ends.client->write_all("two");
    EXPECT_EQ(read_exactly(*ends.server, 1), "o");
    EXPECT_TRUE(ends.server->has_buffered());
    EXPECT_EQ(read_exactly(*ends.server, 2), "ne");
    EXPECT_TRUE(ends.server->has_buffered());
    EXPECT_EQ(read_exactly(*ends.server, 3), "two");
    EXPECT_FALSE(ends.server->has_buffered());
  });
}

TEST_P(Tls, an_empty_read_is_nothing_at_once) {
  run_here([] {
    const Ends ends = tls_ends();
    EXPECT_EQ(ends.server->read_some({}), 0U);
  });
}

TEST_P(Tls, the_end_of_one_direction_leaves_the_other_open) {
  run_here([] {
    const Ends ends = tls_ends();
    ends.client->write_all("question");
    ends.client->shutdown_write();
    ends.client->shutdown_write();
    EXPECT_EQ(read_to_end(*ends.server), "question");
    EXPECT_EQ(read_to_end(*ends.server), "") << "the end repeats";
    ends.server->write_all("answer");
    EXPECT_EQ(read_exactly(*ends.client, 6), "answer");
    EXPECT_NE(error_of<TlsError>([&] { ends.client->write_all("more"); }), "");
  });
}

TEST_P(Tls, close_tells_the_peer) {
  run_here([] {
    const Ends ends = tls_ends();
    ends.client->write_all("last words");
    ends.client->close();
    ends.client->close();
    EXPECT_EQ(read_to_end(*ends.server), "last words");
  });
}

TEST_P(Tls, destruction_closes_the_stream_below) {
  run_here([] {
    auto plain = plain_ends();
    WatchedStream below(std::move(plain.first));
    {
      Aside accepting(
          [&] { EXPECT_EQ(read_to_end(*std::make_unique<TlsStream>(*plain.second, server_context())), ""); });
      const TlsStream stream(below, client_context());
    }
    EXPECT_TRUE(below.closed);
  });
}

TEST_P(Tls, an_end_without_close_notify_is_truncation_and_stays_so) {
  run_here([] {
    auto plain = plain_ends();
    Stream& cable = *plain.first;
    const Ends ends = tls_ends(std::move(plain));
    ends.client->write_all("half of");
    cable.close();
    EXPECT_EQ(read_exactly(*ends.server, 7), "half of") << "what arrived is handed out first";
    std::byte one{};
    for (int i = 0; i < 2; ++i)
      EXPECT_NE(error_of<TlsTruncated>([&] { static_cast<void>(ends.server->read_some({&one, 1})); }), "");
  });
}

TEST_P(Tls, a_damaged_record_is_an_error_and_stays_so) {
  run_here([] {
    auto plain = plain_ends();
    auto watched = std::make_unique<WatchedStream>(std::move(plain.second));
    WatchedStream& wire = *watched;
    const Ends ends = tls_ends({std::move(plain.first), std::move(watched)});
    wire.damage_next_read = true;
    ends.client->write_all("precious");
    std::byte one{};
    for (int i = 0; i < 2; ++i) {
      const std::string error = error_of<TlsError>([&] { static_cast<void>(ends.server->read_some({&one, 1})); });
      EXPECT_NE(error.find("bad record mac"), std::string::npos) << error;
    }
    ends.server->close();
    const std::string told = error_of<TlsError>([&] { static_cast<void>(ends.client->read_some({&one, 1})); });
    EXPECT_NE(told.find("the peer refused: bad record mac"), std::string::npos) << told;
  });
}

TEST_P(Tls, a_damaged_record_is_named_also_when_it_was_looked_at_before) {
  run_here([] {
    auto plain = plain_ends();
    auto watched = std::make_unique<WatchedStream>(std::move(plain.second));
    WatchedStream& wire = *watched;
    const Ends ends = tls_ends({std::move(plain.first), std::move(watched)});
    wire.damage_next_read = true;
    ends.client->write_all("good");
    ends.client->write_all("precious");
    EXPECT_EQ(read_exactly(*ends.server, 4), "good");
    EXPECT_FALSE(ends.server->has_buffered());
    std::byte one{};
    for (int i = 0; i < 2; ++i) {
      const std::string error = error_of<TlsError>([&] { static_cast<void>(ends.server->read_some({&one, 1})); });
      EXPECT_NE(error.find("bad record mac"), std::string::npos) << error;
    }
  });
}

// Answers to updates of keys go out with the next write.
TEST_P(Tls, a_peer_that_asks_for_new_keys_without_end_is_refused) {
  run_here([] {
    AskingForKeys peer;
    TlsStream server(peer.end(), server_context());
    peer.ask(5000);
    peer.finish();
    const std::string error = error_of<TlsError>([&] { static_cast<void>(read_to_end(server)); });
    EXPECT_NE(error.find("asks for new keys again and again"), std::string::npos) << error;
    server.close();
  });
}

TEST_P(Tls, new_keys_now_and_then_are_no_matter) {
  run_here([] {
    AskingForKeys peer;
    TlsStream server(peer.end(), server_context());
    for (int i = 0; i < 20; ++i) {
      peer.ask(100);
      EXPECT_EQ(read_exactly(server, 100), std::string(100, 'x'));
      server.write_all("thanks");
    }
  });
}

TEST_P(Tls, close_wakes_a_blocked_reader) {
  run_here([] {
    const Ends ends = tls_ends();
    std::atomic<bool> woken = false;
    Aside reading([&] {
      std::byte one{};
      EXPECT_THROW(static_cast<void>(ends.server->read_some({&one, 1})), SocketClosed);
      woken = true;
    });
    yield();
    ends.server->close();
    reading.join();
    EXPECT_TRUE(woken);
    EXPECT_THROW(ends.server->write_all("x"), SocketClosed);
  });
}

TEST_P(Tls, close_wakes_a_blocked_writer) {
  run_here([] {
    const Ends ends = tls_ends();
    const std::string large(std::size_t{64 << 20}, 'x');
    std::atomic<bool> writing = false;
    Aside stuck([&] {
      writing = true;
      EXPECT_THROW(ends.server->write_all(large), SocketClosed);
    });
    std::byte one{};
    static_cast<void>(ends.client->read_some({&one, 1}));
    EXPECT_TRUE(writing);
    ends.server->close();
    stuck.join();
  });
}

TEST(tls, two_readers_or_writers_are_a_mistake_that_is_named) {
  run([] {
    const Ends ends = tls_ends();
    std::byte one{};
    Aside reading([&] { EXPECT_THROW(static_cast<void>(ends.server->read_some({&one, 1})), SocketClosed); });
    yield();
    EXPECT_THROW(static_cast<void>(ends.server->read_some({&one, 1})), std::logic_error);
    const std::string large = some_text(8 << 20);
    Aside writing([&] { EXPECT_THROW(ends.server->write_all(large), SocketClosed); });
    yield();
    EXPECT_THROW(ends.server->write_all("x"), std::logic_error);
    ends.server->close();
  });
}

TEST_P(Tls, reads_that_run_into_deadlines_lose_nothing) {
  run_here([] {
    const Ends ends = tls_ends();
    const std::string text = some_text(3 << 20);
    Aside writing([&] {
      for (std::size_t at = 0; at < text.size(); at += 50'000) {
        ends.client->write_all(std::string_view(text).substr(at, 50'000));
        yield();
      }
      ends.client->shutdown_write();
    });
    std::string got;
    std::vector<std::byte> buffer(7000);
    for (int i = 0;; ++i) {
      try {
        const Deadline budget(std::chrono::microseconds(i % 50), "a short one");
        const std::size_t size = ends.server->read_some(buffer);
        if (size == 0) break;
        got.append(reinterpret_cast<const char*>(buffer.data()), size);
      } catch (const DeadlineExceeded&) {
        yield();
      }
    }
    writing.join();
    EXPECT_EQ(got, text);
  });
}

TEST(tls, a_cancelled_read_loses_nothing) {
  run([] {
    const Ends ends = tls_ends();
    std::byte one{};
    for (int i = 0; i < 50; ++i) {
      Task<void> reader = spawn([&] { static_cast<void>(ends.server->read_some({&one, 1})); });
      yield();
      reader.kill();
      reader.join();
      EXPECT_TRUE(reader.cancelled());
    }
    ends.client->write_all("still here");
    EXPECT_EQ(read_exactly(*ends.server, 10), "still here");
  });
}

TEST_P(Tls, an_interrupted_write_leaves_whole_records_behind) {
  run_here([] {
    const Ends ends = tls_ends();
    const std::string large = some_text(64 << 20);
    {
      const Deadline budget(10ms, "a short one");
      EXPECT_THROW(ends.client->write_all(large), DeadlineExceeded);
    }
    std::string got;
    Aside reading([&] { got = read_to_end(*ends.server); });
    ends.client->write_all("and on");
    ends.client->shutdown_write();
    reading.join();
    ASSERT_GT(got.size(), 6U);
    ASSERT_LT(got.size(), large.size());
    EXPECT_EQ(got.substr(got.size() - 6), "and on");
    EXPECT_EQ(got.substr(0, got.size() - 6), large.substr(0, got.size() - 6));
  });
}

TEST_P(Tls, a_peer_that_does_not_read_does_not_hold_up_close) {
  run_here([] {
    const Ends ends = tls_ends();
    const std::string large(std::size_t{64 << 20}, 'x');
    {
      const Deadline budget(5ms, "a short one");
      EXPECT_THROW(ends.client->write_all(large), DeadlineExceeded);
    }
    ends.client->close();
  });
}

TEST_P(Tls, a_silent_peer_ends_the_handshake_by_the_callers_deadline) {
  run_here([] {
    auto [a, b] = socketpair();
    const Deadline budget(10ms, "greeting");
    EXPECT_THROW(TlsStream(a, server_context()), DeadlineExceeded);
  });
}

TEST_P(Tls, a_peer_that_leaves_during_the_handshake_is_told_apart) {
  run_here([] {
    auto [a, b] = socketpair();
    b.close();
    EXPECT_THROW(TlsStream(a, server_context()), TlsTruncated);
  });
}

TEST_P(Tls, a_peer_that_speaks_plain_text_is_named) {
  run_here([] {
    for (const std::string text : {"GET / HTTP/1.1\r\n\r\n", "\x10\0\0\0{\"cmd\":\"hello\"}"}) {
      auto [a, b] = socketpair();
      b.send_all(text);
      b.shutdown_write();
      const std::string error = error_of<TlsError>([&, &peer = a] { TlsStream(peer, server_context()); });
      EXPECT_NE(error, "");
      if (text[0] == 'G') {
        EXPECT_NE(error.find("does not speak TLS"), std::string::npos) << error;
      }
    }
  });
}

TEST_P(Tls, a_plain_server_is_named_to_the_client) {
  run_here([] {
    auto [a, b] = socketpair();
    b.send_all("220 welcome to something else\r\n");
    const std::string error = error_of<TlsError>([&, &peer = a] { TlsStream(peer, client_context(), "localhost"); });
    EXPECT_NE(error.find("does not speak TLS"), std::string::npos) << error;
  });
}

TEST_P(Tls, bytes_of_every_value_and_length_survive) {
  run_here([] {
    const Ends ends = tls_ends();
    for (const std::size_t size : {1UL, 2UL, 16383UL, 16384UL, 16385UL, 245759UL, 245760UL, 245761UL, 500'000UL}) {
      const std::string text = some_text(size, size);
      std::string got;
      Aside reading([&] { got = read_exactly(*ends.server, size); });
      ends.client->write_all(text);
      reading.join();
      EXPECT_EQ(got, text) << size;
    }
  });
}

TEST_P(Tls, memory_that_is_lent_late_is_held_only_with_plain_text_in_it) {
  run_here([] {
    const Ends ends = tls_ends();
    LentMemory memory;
    Aside sending([&] {
      sleep(20ms);  // by now the reader waits
      EXPECT_FALSE(memory.held);
      ends.client->write_all("longer than the memory");
    });
    ASSERT_EQ(ends.server->read_late(memory), memory.size());
    EXPECT_TRUE(memory.held);
    EXPECT_EQ(memory.text(memory.size()), "longer than the ");
    sending.join();
    ASSERT_EQ(ends.server->read_late(memory), 6U);
    EXPECT_EQ(memory.text(6), "memory");
    ends.client->shutdown_write();
    EXPECT_EQ(ends.server->read_late(memory), 0U);
    EXPECT_FALSE(memory.held);
  });
}

TEST(tls, connections_that_idle_after_a_transfer_hold_no_buffers) {
  run([] {
    constexpr std::size_t kPairs = 40;
    const std::string text = some_text(1 << 20);
    const auto heap = [] { return ::mallinfo2().uordblks + ::mallinfo2().hblkhd; };
    std::vector<Ends> idle;
    idle.reserve(kPairs);
    static_cast<void>(tls_ends());
    const std::size_t before = heap();
    for (std::size_t i = 0; i < kPairs; ++i) {
      idle.push_back(tls_ends());
      std::string got;
      Aside reading([&] { got = read_exactly(*idle.back().server, text.size()); });
      idle.back().client->write_all(text);
      reading.join();
      EXPECT_EQ(got, text);
    }
    EXPECT_LT((heap() - before) / (2 * kPairs), 64U * 1024) << "bytes for each end";
  });
}

TEST(tls, the_cipher_suits_the_processor) {
  run([] {
    const Ends ends = tls_ends();
    EXPECT_EQ(ends.client->cipher(), ends.server->cipher());
    EXPECT_EQ(ends.client->cipher().substr(0, 4), "TLS_");
  });
}
