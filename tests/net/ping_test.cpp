#include <hawser/net/ping.h>

#include <fcntl.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <hawser/fiber/deadline.h>

#include "both_contexts.h"
#include "network_namespace.h"
#include "privileges.h"

namespace hawser {
namespace {

using namespace std::chrono_literals;

void allow_us_to_ping() {
  const int file = ::open("/proc/sys/net/ipv4/ping_group_range", O_WRONLY | O_CLOEXEC);
  ASSERT_EQ(::write(file, "0 0", 3), 3);
  ::close(file);
}

constexpr char kNotAllowed[] = "ping 127.0.0.1 (needs CAP_NET_RAW, or a group in net.ipv4.ping_group_range): ";

// Whether that kind of socket is to be had here; where it is not, it must say what is missing.
bool to_be_had(PingSocket kind) {
  try {
    const Ping ping(Address::ip("127.0.0.1", 0), kind);
    return true;
  } catch (const SystemError& error) {
    const std::string_view words = kind == PingSocket::best ? kNotAllowed : "socket AF_INET ";
    EXPECT_EQ(std::string_view(error.what()).find(words), 0U) << error.what();
    return false;
  }
}

class ping_in : public testing::BothContexts {
 protected:
  // In a network where both kinds of socket are to be had; or, when we may not have one, in this one, with those that
  // are to be had here.
  void in_own_network(const std::function<void(const std::vector<PingSocket>&)>& body) {
    const std::vector<PingSocket> all{PingSocket::best, PingSocket::raw, PingSocket::datagram};
    const bool done = testing::in_own_network([&] {
      allow_us_to_ping();
      in_context([&] { body(all); });
    });
    if (done) return;
    std::vector<PingSocket> some;
    std::copy_if(all.begin(), all.end(), std::back_inserter(some), to_be_had);
    in_context([&] { body(some); });
  }
};
HAWSER_IN_BOTH_CONTEXTS(ping_in);

TEST_P(ping_in, hears_the_echo_by_both_kinds_of_socket) {
  in_own_network([](const std::vector<PingSocket>& kinds) {
    for (const char* host : {"127.0.0.1", "::1"}) {
      for (const PingSocket kind : kinds) {
        Ping ping(Address::ip(host, 0), kind);
        EXPECT_TRUE(kind == PingSocket::best || ping.is_raw() == (kind == PingSocket::raw));
        for (int i = 1; i <= 3; ++i) {
          const auto echo = ping.ask(30s, "payload of odd length" + std::string(static_cast<std::size_t>(i), '!'));
          ASSERT_TRUE(echo) << host;
          EXPECT_EQ(echo->from, ping.to());
          EXPECT_EQ(echo->sequence, i);
          EXPECT_EQ(echo->data.view(), "payload of odd length" + std::string(static_cast<std::size_t>(i), '!'));
        }
        EXPECT_EQ(ping.ask(30s, "").value().data.size(), 0U);
      }
    }
  });
}

TEST_P(ping_in, several_at_once_hear_only_their_own) {
  in_own_network([](const std::vector<PingSocket>& kinds) {
    std::vector<Ping> pings;
    for (std::size_t i = 0; i < 10 * kinds.size(); ++i)
      pings.emplace_back(Address::ip("127.0.0.1", 0), kinds[i % kinds.size()]);
    for (std::size_t i = 0; i < pings.size(); ++i)
      EXPECT_EQ(pings[i].ask(30s, std::to_string(i))->data.str(), std::to_string(i));
  });
}

TEST_P(ping_in, silence_is_no_answer_and_a_deadline_is_an_error) {
  in_own_network([](const std::vector<PingSocket>& kinds) {
    const int file = ::open("/proc/sys/net/ipv4/icmp_echo_ignore_all", O_WRONLY | O_CLOEXEC);
    const bool silent = ::write(file, "1", 1) == 1;  // not in a network that is not ours
    ::close(file);
    for (const PingSocket kind : kinds) {
      Ping ping(Address::ip("127.0.0.1", 0), kind);
      EXPECT_EQ(ping.ask(silent ? 2ms : 30s).has_value(), !silent);
      if (!silent) continue;
      EXPECT_FALSE(ping.ask(0ms));
      const Deadline budget(2ms);
      EXPECT_THROW(static_cast<void>(ping.ask(std::nullopt)), DeadlineExceeded);
    }
  });
}

TEST(ping, without_privilege_says_what_is_missing) {
  const auto refused = [] { EXPECT_FALSE(to_be_had(PingSocket::raw)); };
  const bool done = testing::in_own_network([&] {  // where the range of groups is empty
    testing::without_privileges([&] {
      refused();
      EXPECT_FALSE(to_be_had(PingSocket::best));
    });
  });
  if (!done) testing::without_privileges(refused);
}

TEST(ping, is_for_ip_addresses) { EXPECT_THROW(Ping(Address::unix_path("/x")), std::invalid_argument); }

TEST(ping, checksum_is_that_of_rfc_1071) {
  EXPECT_EQ(detail::internet_checksum(BytesView(std::string_view("\x00\x01\xf2\x03\xf4\xf5\xf6\xf7", 8))), 0x220D);
  EXPECT_EQ(detail::internet_checksum(BytesView(std::string_view("\x01", 1))), 0xFEFF);
  EXPECT_EQ(detail::internet_checksum(BytesView()), 0xFFFF);
}

}  // namespace
}  // namespace hawser
